"""The files of one version of an entry, each with all that is known of it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from typing import Any

from core.weights.fetching import WeightsWrong
from core.weights.paths import checked_path
from core.weights.sources import File


@dataclass(frozen=True)
class Wanted:
    """One file.

    url: where it comes from; empty in an offline folder. bytes, sha256, blob (git's SHA-1 of it): None where nobody
    tells.
    """

    path: str
    url: str = ""
    bytes: int | None = None
    sha256: str | None = None
    blob: str | None = None

    @property
    def known(self) -> bool:
        """Whether a hash tells it from every other content."""
        return self.sha256 is not None or (self.blob is not None and self.bytes is not None)


@dataclass(frozen=True)
class Listing:
    """A version and its files."""

    revision: str
    files: tuple[Wanted, ...]


def pinned(files: Iterable[File], found: Mapping[str, Wanted], teller: str) -> tuple[Wanted, ...]:
    """What the manifest's files are, by path: its own words, completed by what `teller` (the hub, a mirror …) has.

    Raises WeightsWrong where the two contradict each other or a file is not there.
    """
    chosen: dict[str, Wanted] = {}
    for file in files:
        for path in _meant(file.path, found, teller):
            chosen.setdefault(path, _agreed(file, found[path], teller))
    return tuple(chosen.values())


def _meant(path: str, found: Mapping[str, Wanted], teller: str) -> list[str]:
    """A `*` stands for files of that folder and of those below it."""
    meant = [each for each in found if fnmatchcase(each, path)] if "*" in path else [path]
    if not meant or any(each not in found for each in meant):
        raise WeightsWrong(f"{teller} has no {path}, which the manifest names")
    try:
        return sorted(map(checked_path, meant))
    except ValueError as error:
        raise WeightsWrong(f"{teller}: {error}") from error


def _agreed(file: File, found: Wanted, teller: str) -> Wanted:
    for what, ours, theirs in (("bytes", file.bytes, found.bytes), ("sha256", file.sha256, found.sha256)):
        if None not in (ours, theirs) and ours != theirs:
            raise WeightsWrong(f"{found.path}: the manifest pins {what} {ours}, but {teller} has {theirs}")
    return replace(
        found,
        bytes=found.bytes if file.bytes is None else file.bytes,
        sha256=file.sha256 or found.sha256,
    )


class Sums:
    """The hashes of content that passes by."""

    def __init__(self, wanted: Wanted) -> None:
        self._wanted = wanted
        self._sha256: Any = hashlib.sha256()
        # git's name of a content: SHA-1 over its length and itself.
        self._blob: Any = hashlib.sha1(f"blob {wanted.bytes}\0".encode(), usedforsecurity=False)
        self.bytes = 0

    def update(self, chunk: bytes) -> None:
        self._sha256.update(chunk)
        if self._wanted.blob:
            self._blob.update(chunk)
        self.bytes += len(chunk)

    @property
    def file(self) -> File:
        return File(self._wanted.path, self.bytes, self._sha256.hexdigest())

    def wrong(self) -> str:
        """How it differs from what is wanted; empty where it doesn't."""
        wanted = self._wanted
        if wanted.bytes not in (None, self.bytes):
            return f"it has {self.bytes:,} bytes, and {wanted.bytes:,} are expected"
        if wanted.sha256 not in (None, self.file.sha256):
            return f"its sha256 is {self.file.sha256}, and {wanted.sha256} is expected"
        if wanted.blob and wanted.bytes is not None and wanted.blob != self._blob.hexdigest():
            return f"its git hash is {self._blob.hexdigest()}, and {wanted.blob} is expected"
        return ""
