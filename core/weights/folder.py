"""One entry's folder, `models/<name>/`: whole once its record lies in it.

The record, weights.json, is written last and in one go: {"revision", "files": [{"path", "bytes", "sha256"}]}, the
licence that was accepted and when. A folder without it is under way or was never begun.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from core.errors import ModelMissing
from core.weights.manifest import read_manifest
from core.weights.paths import PART, RECORD, STAMP, checked_name, checked_path
from core.weights.sources import File

_CHUNK = 1 << 20


@dataclass(frozen=True)
class Record:
    """What was fetched.

    revision: the commit, or another name of exactly this version. files: with bytes and sha256. licence, accepted:
    the one that the operator agreed to, and the day (ISO 8601); both empty where it asks nothing.
    """

    revision: str
    files: tuple[File, ...] = ()
    licence: str = ""
    accepted: str = ""


_RECORD = TypeAdapter(Record)


def folder_of(models: Path, name: str) -> Path:
    """The whole folder of an entry, quickly checked: each file that its record names has its size. Raises ModelMissing
    whose text says what is wrong and which command mends it."""
    folder = models / checked_name(name)
    mend = f"fetch them with `{_command(name)}`"
    if not (folder / RECORD).is_file():
        begun = folder.is_dir() and any(folder.iterdir())
        state = f"were not fetched to the end into {folder}" if begun else f"are not in {models}"
        raise ModelMissing(f"the weights {name} {state}: {mend}")
    try:
        record = read_record(folder)
    except ValueError as error:
        raise ModelMissing(f"the weights {name} are not told by {folder / RECORD} ({error}): {mend}") from error
    for file in record.files:
        if lack := size_lack(folder, file):
            raise ModelMissing(f"the weights {name} are incomplete: {lack}; {mend}")
    return folder


def _command(name: str) -> str:
    """As the manifest has it, since some ask for a licence to be accepted."""
    known = read_manifest().weights.get(name)
    return known.command if known else f"smarttalker models fetch {name}"


def size_lack(folder: Path, file: File) -> str:
    """What a look at the size tells against a file; empty where it is right."""
    path = folder / file.path
    if not path.is_file():
        return f"{file.path} is missing"
    size = path.stat().st_size
    if file.bytes is not None and size < file.bytes:
        return f"{file.path} is truncated: {size:,} of {file.bytes:,} bytes"
    if file.bytes is not None and size > file.bytes:
        return f"{file.path} is too long: {size:,} bytes, not {file.bytes:,}"
    return ""


def read_record(folder: Path) -> Record:
    """Raises ValueError for one that is missing or crooked."""
    try:
        return _RECORD.validate_json((folder / RECORD).read_bytes())
    except OSError as error:
        raise ValueError(error.strerror) from error
    except ValidationError as error:
        row = error.errors()[0]
        raise ValueError(f"{'.'.join(map(str, row['loc']))} {row['msg']}".strip()) from error


def write_record(folder: Path, record: Record) -> None:
    """In one go: the folder counts as whole from here on. Raises OSError."""
    table = asdict(record)
    table["files"] = [{key: value for key, value in file.items() if value is not None} for file in table["files"]]
    draft = folder / f"{RECORD}.{secrets.token_hex(4)}{PART}"
    try:
        with draft.open("w", encoding="utf-8") as out:
            out.write(json.dumps(table, indent=1, ensure_ascii=False) + "\n")
            out.flush()
            os.fsync(out.fileno())
        draft.replace(folder / RECORD)
    finally:
        draft.unlink(missing_ok=True)


def keep_record(folder: Path, revision: str) -> Record:
    """Makes and keeps the record of what lies in the folder. Raises OSError, and ValueError for odd file names."""
    record = Record(revision, tuple(hashed(folder, checked_path(path)) for path in paths_in(folder)))
    write_record(folder, record)
    return record


def paths_in(folder: Path) -> Iterator[str]:
    """Of all files below the folder, sorted, without the record and what is under way. Links to folders are not
    followed."""
    found = []
    for root, _, names in os.walk(folder):
        found += [(Path(root) / name).relative_to(folder).as_posix() for name in names]
    return (path for path in sorted(found) if path != RECORD and not path.endswith((PART, STAMP)))


def hashed(folder: Path, path: str, advance: Callable[[int], None] = lambda count: None) -> File:
    """The file's size and hash as they are now; advance is told of the bytes that were read. Raises OSError."""
    digest, size = hashlib.sha256(), 0
    with (folder / path).open("rb") as source:
        while chunk := source.read(_CHUNK):
            digest.update(chunk)
            size += len(chunk)
            advance(len(chunk))
    return File(path, size, digest.hexdigest())
