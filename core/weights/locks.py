"""One process at a time changes an entry's folder."""

from __future__ import annotations

import fcntl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from core.weights.paths import checked_name


@contextmanager
def held(models: Path, name: str, wait: Callable[[str], None]) -> Iterator[None]:
    """Waits for the process that has it, which `wait` is told in a sentence. The lock ends with its process, whatever
    happens; its file, `.<name>.lock`, stays."""
    models.mkdir(parents=True, exist_ok=True)
    with (models / f".{checked_name(name)}.lock").open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            wait(f"{name}: another process is at work on it; waiting until it has ended")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield
