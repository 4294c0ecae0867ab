"""What processes of ours know that look at pictures from outside."""

from __future__ import annotations

import os
from pathlib import Path

import worker

_KEPT = ("PATH", "LD_LIBRARY_PATH", "SYSTEMROOT", "TMPDIR")


def bare() -> dict[str, str]:
    """The environment of a process that knows neither settings nor secrets, finds this very checkout, computes with
    one thread and writes nothing beside what it is told to."""
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    kept |= {"LC_ALL": "C.UTF-8", "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "2"}
    return kept | {"PYTHONPATH": str(Path(worker.__file__).parents[1]), "PYTHONDONTWRITEBYTECODE": "1"}
