"""What is the same for every source whose weights lie in a folder of ours."""

from __future__ import annotations

import shutil
from pathlib import Path

from core.errors import ModelMissing
from core.weights.fetching import Progress, State, Way
from core.weights.folder import folder_of, hashed, read_record, size_lack
from core.weights.manifest import Weights
from core.weights.paths import RECORD
from core.weights.sources import File


class InFolder:
    """The part of a Fetcher that asks no source; a kind of source adds `size` and `fetch`."""

    def __init__(self, weights: Weights, way: Way) -> None:
        self.weights = weights
        self.way = way

    @property
    def folder(self) -> Path:
        return self.way.models / self.weights.name

    @property
    def revision(self) -> str | None:
        """What the manifest pins, as the record has it; None where any will do."""
        return None

    def state(self) -> State:
        try:
            record = read_record(folder_of(self.way.models, self.weights.name))
        except (ModelMissing, ValueError):
            begun = self.folder.is_dir() and any(self.folder.iterdir())
            return State.PART if begun else State.MISSING
        return State.HERE if self.revision in (None, record.revision) else State.PART

    def verify(self, progress: Progress) -> list[str]:
        """Each file's size and hash against the record's."""
        try:
            record = read_record(self.folder)
        except ValueError as error:
            crooked = f"its record can't be used: {error}" if (self.folder / RECORD).exists() else ""
            return [f"{self.weights.name}: {crooked or 'was not fetched to the end'}"]
        wrong = [] if self.revision in (None, record.revision) else [f"version {record.revision}, not {self.revision}"]
        wrong += filter(None, (self._wrong(file, progress) for file in record.files))
        return [f"{self.weights.name}: {text}" for text in wrong]

    def remove(self) -> str:
        """A link in the folder's place is removed, and what it points to stays."""
        if self.folder.is_symlink():
            self.folder.unlink()
            return f"{self.weights.name}: the link {self.folder} is removed; what it points to is not"
        if not self.folder.is_dir():
            return f"{self.weights.name} is not here"
        shutil.rmtree(self.folder)
        return f"{self.weights.name} is removed"

    def _wrong(self, file: File, progress: Progress) -> str:
        if lack := size_lack(self.folder, file):
            return lack
        progress.begin(f"{self.weights.name}/{file.path}", file.bytes)
        found = hashed(self.folder, file.path, progress.advance)
        if file.sha256 not in (None, found.sha256):
            return f"{file.path} has the hash {found.sha256}, not {file.sha256}"
        return ""
