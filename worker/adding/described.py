"""voice.toml of a voice that was added: read, changed and written whole."""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from core.catalogue import read_toml, references_of
from core.storage import storage_errors
from worker.adding.folder import write_toml

FILE = "voice.toml"
CONSENT = ("who", "when", "words")
GRACE_S = 900.0
"""How long a clip stays that voice.toml no longer names: a turn that had read it before may still need it."""
_PARTS = ("clip", "transcript")
_OURS = ("reference*.wav", "transcript*.txt")


def clip_name() -> str:
    """Never used before: what is kept of a clip by its path stays true."""
    return f"reference-{secrets.token_hex(4)}.wav"


def transcript_name(clip: str) -> str:
    return f"transcript-{Path(clip).stem.removeprefix('reference-')}.txt"


def read(folder: Path) -> dict[str, Any]:
    """What the file says, recordings and consents of voices from before there were several in their new places.

    Raises ConfigurationError.
    """
    table = read_toml(folder / FILE)
    references = table.get("references") or dict(references_of(table))
    if "consent" in table and references:
        first = next(iter(references))
        references[first] = {"consent": table.pop("consent"), **references[first]}
    for settings in table.get("engines", {}).values():
        for key in ("reference", "transcript"):
            settings.pop(key, None)
    return table | {"references": references}


def write(folder: Path, table: Mapping[str, Any]) -> None:
    """The file is there whole or as it was, and its time tells that it changed. Raises StorageError."""
    with storage_errors():
        write_toml(folder / FILE, dict(_tables("", table)))


def _tables(title: str, table: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """By dotted names. The names of a voice stay on one line."""
    inner = {key: value for key, value in table.items() if isinstance(value, Mapping) and (title, key) != ("", "name")}
    own = {key: value for key, value in table.items() if key not in inner}
    if own or not inner:
        yield title, own
    for key, value in inner.items():
        yield from _tables(f"{title}.{key}" if title else key, value)


def put(folder: Path, table: dict[str, Any], language: str, entry: Mapping[str, Any]) -> None:
    """From now on the recording of that language; the files of one before are kept for GRACE_S."""
    old = table["references"].get(language, {})
    for name in {old[key] for key in _PARTS if key in old} - {entry.get(key) for key in _PARTS}:
        with suppress(FileNotFoundError):
            os.utime(folder / name)
    table["references"][language] = dict(entry)


def tidy(folder: Path) -> None:
    """Deletes clips and transcripts that voice.toml has not named for GRACE_S. Raises ConfigurationError."""
    named = {entry.get(key) for entry in read(folder)["references"].values() for key in _PARTS}
    for path in (path for pattern in _OURS for path in folder.glob(pattern)):
        with suppress(FileNotFoundError):
            if path.name not in named and time.time() - path.stat().st_mtime > GRACE_S:
                path.unlink()
