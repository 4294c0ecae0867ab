"""Tests that measure time, among pytest-xdist's workers: while one of them runs, every other worker waits.

Two lock files. The *door* is held while a test waits for its turn, so that nobody overtakes it; a test then holds the
*room*, shared with others or, where it measures, alone. The kernel takes both back however a worker ends.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def entered(folder: Path, *, alone: bool) -> Iterator[None]:
    """folder: where the workers of one test run have their locks."""
    room = os.open(folder / "room", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        door = os.open(folder / "door", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(door, fcntl.LOCK_EX)
            fcntl.flock(room, fcntl.LOCK_EX if alone else fcntl.LOCK_SH)
        finally:
            os.close(door)
        yield
    finally:
        os.close(room)
