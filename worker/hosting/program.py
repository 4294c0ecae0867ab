"""What runs in a host, and what it gets to see of our environment."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

_PLACES = ("PATH", "LD_LIBRARY_PATH", "HOME", "USER", "LOGNAME", "TMPDIR", "XDG_CACHE_HOME", "XDG_RUNTIME_DIR")
_KEPT = frozenset({*_PLACES, "LANG", "LANGUAGE", "TZ", "CC", "CXX"})
_KEPT_BEGINNINGS = ("LC_", "CUDA_", "NVIDIA_", "OMP_", "MKL_", "OPENBLAS_", "KMP_", "PYTORCH_", "TORCH", "TRITON_")


@dataclass(frozen=True)
class Program:
    """A class to be made in a process of its own.

    python: the interpreter of its environment. served: "package.module:Class" of worker.hosting.served.Served, made as
    Class(progress, **arguments); arguments are JSON. env: variables on top of the clean environment. memory_mb: the
    most RAM in MiB that the process may hold, beyond which it is killed; 0: any. paths: folders in which Python looks
    for modules last.
    """

    python: Path
    served: str
    arguments: Mapping[str, Any] = field(default_factory=dict)
    env: Mapping[str, str] = field(default_factory=dict)
    memory_mb: int = 0
    paths: tuple[str, ...] = ()

    @classmethod
    def ours(cls, served: str, arguments: Mapping[str, Any] | None = None) -> Program:
        """One that finds all that this process finds."""
        paths = tuple(str(Path(path).absolute()) for path in sys.path if path)
        return cls(Path(sys.executable), served, arguments or {}, paths=paths)

    @property
    def environment(self) -> dict[str, str]:
        """Where programs, libraries, cards and the user's own folder are; nothing of our settings, no tokens, and
        nothing that leads Python to packages of ours."""
        return {name: value for name, value in os.environ.items() if _kept(name)} | dict(self.env)


def _kept(name: str) -> bool:
    return name in _KEPT or name.startswith(_KEPT_BEGINNINGS)
