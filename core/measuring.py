"""How much lies in a folder."""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Measured:
    """bytes: of the files, all together. changed: when the newest of all that is there was written, Unix time."""

    bytes: int = 0
    changed: float = 0.0

    def __add__(self, other: Measured) -> Measured:
        return Measured(self.bytes + other.bytes, max(self.changed, other.changed))


def measured(path: Path) -> Measured:
    """Of a file, or of a folder with all that is in it. What goes meanwhile counts as nothing; links lead nowhere."""
    try:
        return _measured(str(path), path.lstat())
    except OSError:
        return Measured()


def _measured(path: str, own: os.stat_result) -> Measured:
    if not stat.S_ISDIR(own.st_mode):
        return Measured(own.st_size, own.st_mtime)
    found = Measured(0, own.st_mtime)
    with suppress(OSError), os.scandir(path) as entries:
        for entry in entries:
            with suppress(OSError):
                found += _measured(entry.path, entry.stat(follow_symlinks=False))
    return found
