"""One file from an offline folder: linked where both lie on one file system, else copied; checked in both cases."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from core.weights.fetching import Progress, WeightsWrong
from core.weights.paths import PART
from core.weights.sources import File
from core.weights.wanted import Sums, Wanted

_CHUNK = 1 << 20


def bring(source: Path, wanted: Wanted, folder: Path, progress: Progress) -> File:
    """The file's size and hash. Raises WeightsWrong where they are not what is wanted, OSError."""
    target = folder / wanted.path
    part = target.with_name(target.name + PART)
    target.parent.mkdir(parents=True, exist_ok=True)
    part.unlink(missing_ok=True)
    origin = (source / wanted.path).resolve()
    try:
        with contextlib.suppress(OSError):
            # Another file system, or a file of another user: then it is copied.
            part.hardlink_to(origin)
        sums = _checked(part, wanted, progress) if part.exists() else _copied(origin, part, wanted, progress)
        if wrong := sums.wrong():
            raise WeightsWrong(f"{origin} is not what it should be: {wrong}")
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)
    return sums.file


def linkable(source: Path, folder: Path) -> bool:
    """Whether both lie on one file system, so that links take no room."""
    there = next(each for each in (folder, *folder.parents) if each.exists())
    return source.stat().st_dev == there.stat().st_dev


def _checked(part: Path, wanted: Wanted, progress: Progress) -> Sums:
    sums = Sums(wanted)
    with part.open("rb") as file:
        while chunk := file.read(_CHUNK):
            sums.update(chunk)
            progress.advance(len(chunk))
    return sums


def _copied(origin: Path, part: Path, wanted: Wanted, progress: Progress) -> Sums:
    sums = Sums(wanted)
    with origin.open("rb") as file, part.open("xb") as out:
        while chunk := file.read(_CHUNK):
            out.write(chunk)
            sums.update(chunk)
            progress.advance(len(chunk))
        out.flush()
        os.fsync(out.fileno())
    return sums
