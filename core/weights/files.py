"""Entries that are lists of files: of the hub, of a release page, of a mirror, of an offline folder."""

from __future__ import annotations

import os
from functools import cached_property
from pathlib import Path

from core.weights.download import Download, already, begun_bytes
from core.weights.fetching import Progress, State, WeightsWrong
from core.weights.folder import Record, paths_in, read_record
from core.weights.kept import InFolder
from core.weights.listing import files_of, listing_of, offline_folder, revision_of
from core.weights.offline import bring, linkable
from core.weights.paths import PART, STAMP
from core.weights.sources import File
from core.weights.wanted import Listing, Wanted
from core.weights.web import Web


class FilesFetcher(InFolder):
    """Of a Hub or a Release."""

    @property
    def revision(self) -> str | None:
        return revision_of(self.weights)

    def state(self) -> State:
        """A record that lacks what the manifest names by now is that of a part."""
        state = super().state()
        if state is not State.HERE:
            return state
        found = {file.path: file for file in read_record(self.folder).files}
        same = (_same(file, found.get(file.path)) for file in files_of(self.weights) if "*" not in file.path)
        return State.HERE if all(same) else State.PART

    def size(self) -> int:
        """A file that is there with its size is not counted, nor what has come of one that is under way."""
        if self._offline is not None and linkable(self._offline, self.folder):
            return 0
        return sum(_lacking(self.folder, file) for file in self._listing.files)

    def fetch(self, progress: Progress) -> Record:
        files = []
        with Web(self.way) as web:
            for wanted in self._listing.files:
                progress.begin(f"{self.weights.name}/{wanted.path}", wanted.bytes)
                files.append(already(self.folder, wanted, progress) or self._brought(wanted, web, progress))
                if not wanted.known:
                    progress.note(f"{self.weights.name}/{wanted.path} is taken as it came: no hash of it is published")
        _tidy(self.folder, {file.path for file in files})
        return Record(self._listing.revision or str(self.revision), tuple(files))

    @cached_property
    def _listing(self) -> Listing:
        """Asked once. Raises SourceAway, WeightsWrong, ConfigurationError."""
        with Web(self.way) as web:
            return listing_of(self.weights, self.way, web)

    @cached_property
    def _offline(self) -> Path | None:
        return None if self.way.offline is None else offline_folder(self.way.offline, self.weights)

    def _brought(self, wanted: Wanted, web: Web, progress: Progress) -> File:
        if self._offline is not None:
            return bring(self._offline, wanted, self.folder, progress)
        return Download(web, wanted, self.folder, progress).run()


def _same(ours: File, found: File | None) -> bool:
    if found is None:
        return False
    return ours.sha256 in (None, found.sha256) and ours.bytes in (None, found.bytes)


def _lacking(folder: Path, wanted: Wanted) -> int:
    path = folder / wanted.path
    if wanted.bytes is None:
        raise WeightsWrong(f"{wanted.path}: nobody says how long it is")
    if wanted.known and path.is_file() and path.stat().st_size == wanted.bytes:
        return 0
    return max(0, wanted.bytes - begun_bytes(folder, wanted.path))


def _tidy(folder: Path, wanted: set[str]) -> None:
    """Deletes what another version has left, since loaders may prefer it; in a folder of ours alone."""
    if folder.is_symlink():
        return
    for path in paths_in(folder):
        if path not in wanted:
            (folder / path).unlink()
    for root, _, names in os.walk(folder):
        for name in names:
            if name.endswith((PART, STAMP)):
                (Path(root) / name).unlink()
