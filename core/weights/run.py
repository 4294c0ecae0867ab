"""Fetching, checking and removing entries, of whatever kind."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from core.errors import ConfigurationError, StorageError
from core.storage import storage_errors
from core.weights.fetching import Progress, State, Way
from core.weights.folder import read_record, write_record
from core.weights.kinds import fetcher_of
from core.weights.locks import held
from core.weights.manifest import Weights
from core.weights.paths import RECORD

SPARE = 256 << 20
"""Bytes that stay free on the disk."""


def refuse_unaccepted(chosen: Iterable[Weights], way: Way) -> None:
    """Raises ConfigurationError that names the entries whose licence asks to be accepted and is not yet."""
    asking = [each for each in chosen if each.terms != "open" and not accepted(each, way)]
    if asking:
        named = "; ".join(f"{each.name}: {each.licence}" for each in asking)
        raise ConfigurationError(
            f"not for commercial use ({named}): nothing was fetched; with --accept-licence you agree to these terms"
        )


def accepted(weights: Weights, way: Way) -> str:
    """The day on which this licence was accepted, as the entry's record tells; empty if it wasn't."""
    try:
        record = read_record(way.models / weights.name)
    except ValueError:
        return ""
    return record.accepted if record.licence == weights.licence else ""


def check_room(models: Path, size: int) -> None:
    """Raises StorageError with both numbers where the disk has no room for so many bytes."""
    there = next(each for each in (models, *models.absolute().parents) if each.exists())
    free = shutil.disk_usage(there).free
    if size and size + SPARE > free:
        raise StorageError(
            f"{in_words(size)} are to be fetched, and only {in_words(free)} are free in {there}: free"
            f" {in_words(size + SPARE - free)}, or set SMARTTALKER_MODELS_DIR to a folder on a larger disk"
        )


def sizes(chosen: Sequence[Weights], way: Way) -> list[int]:
    """Bytes below the models folder that fetching each will still write. Raises as Fetcher.size."""
    return [fetcher_of(each, way).size() for each in chosen]


def fetch(weights: Weights, way: Way, progress: Progress, *, agreed: bool, thorough: bool) -> bool:
    """Brings one entry; False where it was whole already.

    agreed: the operator accepts its licence, which is kept with the day. thorough: what is here is read and compared
    with its hashes before it counts as whole. Raises as Fetcher.fetch.
    """
    fetcher = fetcher_of(weights, way)
    with storage_errors(), held(way.models, weights.name, progress.note):
        if fetcher.state() is State.HERE and not (thorough and fetcher.verify(progress)):
            return False
        day = accepted(weights, way) or (_today() if agreed and weights.terms != "open" else "")
        # A source that does not answer, or not rightly, leaves an older version as it is.
        fetcher.size()
        folder = way.models / weights.name
        folder.mkdir(parents=True, exist_ok=True)
        (folder / RECORD).unlink(missing_ok=True)
        record = fetcher.fetch(progress)
        folder.mkdir(exist_ok=True)
        write_record(folder, replace(record, licence=weights.licence if day else "", accepted=day))
    return True


def verify(weights: Weights, way: Way, progress: Progress) -> list[str]:
    """What is wrong with an entry; a sentence each."""
    return fetcher_of(weights, way).verify(progress)


def remove(weights: Weights, way: Way, note: Callable[[str], None]) -> str:
    """A sentence about what was removed."""
    with storage_errors(), held(way.models, weights.name, note):
        said = fetcher_of(weights, way).remove()
        # Where a server keeps the weights, only our record lies here.
        folder = way.models / weights.name
        if folder.is_dir() and not folder.is_symlink():
            shutil.rmtree(folder)
    return said


def in_words(count: int) -> str:
    """1234567890 → `1.2 GB`."""
    for unit, size in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if count >= size:
            return f"{count / size:.1f} {unit}"
    return f"{count} bytes"


def _today() -> str:
    return datetime.now(UTC).date().isoformat()
