"""Fetching, checking and removing entries, of whatever kind."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from core.errors import ConfigurationError, StorageError
from core.weights.fetching import Progress, State, Way
from core.weights.folder import read_record, write_record
from core.weights.kinds import fetcher_of
from core.weights.locks import held
from core.weights.manifest import Environment, Weights
from core.weights.paths import RECORD
from core.weights.sources import File
from core.weights.words import in_words

SPARE = 256 << 20
"""Bytes that stay free on the disk."""


class Entry:
    """An entry of the manifest and the way that it comes; a source is asked once for what it has."""

    def __init__(self, weights: Weights, way: Way) -> None:
        self.weights = weights
        self._way = way
        self._folder = way.models / weights.name
        self._fetcher = fetcher_of(weights, way)

    @property
    def state(self) -> State:
        return self._fetcher.state()

    @property
    def was_fetched(self) -> bool:
        """Whether a record tells so, even where its source, which keeps the weights, is away."""
        return (self._folder / RECORD).is_file()

    @property
    def accepted(self) -> str:
        """The day on which this licence was accepted, as the record tells; empty if it wasn't."""
        try:
            record = read_record(self._folder)
        except ValueError:
            return ""
        return record.accepted if record.licence == self.weights.licence else ""

    @property
    def recorded(self) -> tuple[File, ...]:
        """The files that the record tells of; none without a record."""
        try:
            return read_record(self._folder).files
        except ValueError:
            return ()

    @property
    def described(self) -> str:
        """`3 files, 2.1 GB`; empty where no record tells of files, or of one alone that stands for many."""
        files = () if isinstance(self.weights.source, Environment) else self.recorded
        size = in_words(sum(file.bytes or 0 for file in files))
        return f"{len(files)} file{'s' if len(files) != 1 else ''}, {size}" if files else ""

    def size(self) -> int:
        """Bytes below the models folder that fetching will still write. Raises as Fetcher.size."""
        return self._fetcher.size()

    def fetch(self, progress: Progress, *, agreed: bool, thorough: bool) -> bool:
        """Brings it; False where it was whole already.

        agreed: the operator accepts its licence, which is kept with the day. thorough: what is here is read and
        compared with its hashes before it counts as whole. Raises as Fetcher.fetch.
        """
        with _disk_errors(self._way.models), held(self._way.models, self.weights.name, progress.note):
            if self.state is State.HERE and not (thorough and self.verify(progress)):
                return False
            day = self.accepted or (_today() if agreed and self.weights.terms != "open" else "")
            # A source that does not answer, or not rightly, leaves an older version as it is.
            self.size()
            self._folder.mkdir(parents=True, exist_ok=True)
            (self._folder / RECORD).unlink(missing_ok=True)
            record = self._fetcher.fetch(progress)
            write_record(self._folder, replace(record, licence=self.weights.licence if day else "", accepted=day))
        return True

    def verify(self, progress: Progress) -> list[str]:
        """What is wrong with it; a sentence each."""
        return self._fetcher.verify(progress)

    def remove(self, wait: Callable[[str], None]) -> str:
        """A sentence about what was removed. wait: is told when another process is at work on it."""
        with _disk_errors(self._way.models), held(self._way.models, self.weights.name, wait):
            said = self._fetcher.remove()
            # Where a server keeps the weights, only our record lies here.
            if self._folder.is_dir() and not self._folder.is_symlink():
                shutil.rmtree(self._folder)
        return said


def refuse_unaccepted(entries: Sequence[Entry]) -> None:
    """Raises ConfigurationError that names those whose licence asks to be accepted and is not yet, and the others."""
    asking = [each for each in entries if each.weights.terms != "open" and not each.accepted]
    if asking:
        named = ", ".join(f"{each.weights.name} ({each.weights.licence})" for each in asking)
        others = " ".join(each.weights.name for each in entries if each not in asking)
        rest = f"; the others alone: `smarttalker models fetch {others}`" if others else ""
        raise ConfigurationError(
            f"not for commercial use: {named}. Nothing was fetched. --accept-licence says that you agree to"
            f" their terms{rest}"
        )


def check_room(models: Path, size: int) -> int:
    """Bytes that are free. Raises StorageError with both numbers where the disk has no room for so many bytes."""
    there = next(each for each in (models, *models.absolute().parents) if each.exists())
    free = shutil.disk_usage(there).free
    if size and size + SPARE > free:
        raise StorageError(
            f"{in_words(size)} are to be fetched, and only {in_words(free)} are free in {there}: free"
            f" {in_words(size + SPARE - free)}, or set SMARTTALKER_MODELS_DIR to a folder on a larger disk"
        )
    return free


@contextmanager
def _disk_errors(models: Path) -> Iterator[None]:
    """What the disk refuses, as StorageError that names the place."""
    try:
        yield
    except OSError as error:
        raise StorageError(
            f"{error.filename or models}: {error.strerror or error}; SMARTTALKER_MODELS_DIR chooses another folder"
        ) from error


def _today() -> str:
    return datetime.now(UTC).date().isoformat()
