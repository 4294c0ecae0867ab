"""Folders of avatars and voices below DATA_DIR: written whole or not at all, and removed for good."""

from __future__ import annotations

import fcntl
import json
import os
import re
import secrets
import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from core.catalogue import checked_id
from core.errors import Conflict, Forbidden, InputError, NotFound
from core.naming import ID, remember_removed, removed_ids
from core.settings import HOME
from core.storage import storage_errors

DRAFT = ".draft-"
STALE_S = 24 * 3600
"""After it, a draft's process is long gone."""
_BARE = re.compile(r"[A-Za-z0-9_-]+\Z")


@contextmanager
def adding(root: Path, kind: str, new: str) -> Iterator[Path]:
    """A draft folder that becomes root/kind/new at the end of the block, and is gone after an error.

    Raises InputError for an id that is none, Conflict for one in use now or ever before, StorageError.
    """
    if not ID.match(new):
        raise InputError("an id has 1 to 48 small letters, digits, - and _", message_id="error-id-wrong")
    target = root / kind / new
    _check_free(target)
    with drafting(target) as draft:
        yield draft
        with locked(target.parent), storage_errors():
            _check_free(target)
            draft.rename(target)


@contextmanager
def drafting(target: Path) -> Iterator[Path]:
    """A new folder beside `target` for what is to become of it or in it; gone at the end of the block, unless it was
    renamed. Raises StorageError."""
    with storage_errors():
        target.parent.mkdir(parents=True, exist_ok=True)
        sweep(target.parent)
        draft = _beside(target)
        draft.mkdir()
    try:
        yield draft
    finally:
        shutil.rmtree(draft, ignore_errors=True)


@contextmanager
def locked(parent: Path) -> Iterator[None]:
    """Nobody else, in any process, changes what lies in root/kind until the end of the block, which must be short."""
    handle = os.open(parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _beside(target: Path) -> Path:
    """A draft's name tells whose it is: the id's removal takes it along."""
    return target.with_name(f"{DRAFT}{target.name}.{secrets.token_hex(6)}")


def _check_free(target: Path) -> None:
    shipped = HOME / target.parent.name / target.name
    if target.exists() or shipped.exists() or target.name in removed_ids(target.parent):
        raise Conflict(f"the id {target.name} is in use, or was", message_id="error-id-taken", id=target.name)


def sweep(parent: Path) -> None:
    """Deletes drafts whose process died."""
    for draft in parent.glob(f"{DRAFT}*"):
        with suppress(FileNotFoundError):
            if time.time() - draft.stat().st_mtime > STALE_S:
                shutil.rmtree(draft, ignore_errors=True)


def added(root: Path, kind: str, wanted: str, *, shipped: str) -> Path:
    """The folder of what was added. shipped: the sentence for what came with SmartTalker.

    Raises NotFound, Forbidden for what is shipped.
    """
    what = kind.removesuffix("s")
    target = root / kind / checked_id(wanted, what)
    if not (target / f"{what}.toml").is_file():
        if (HOME / kind / wanted).is_dir():
            raise Forbidden(f"the {what} {wanted} belongs to SmartTalker: it stays as it is", message_id=shipped)
        raise NotFound(f"no {what} is called {wanted}", message_id=f"error-no-{what}")
    return target


def remove(root: Path, kind: str, old: str) -> None:
    """Deletes root/kind/old, and what is left of attempts to make it, to add to it or to remove it; remembers its id.

    Raises NotFound, Forbidden for what is shipped with SmartTalker, StorageError.
    """
    parent = root / kind
    try:
        target = added(root, kind, old, shipped=f"error-{kind.removesuffix('s')}-shipped")
        with locked(parent), storage_errors():
            remember_removed(parent, old)
            target.rename(_beside(target))
    finally:
        with storage_errors():
            if old in removed_ids(parent):
                for draft in parent.glob(f"{DRAFT}{old}.*"):
                    shutil.rmtree(draft)


def write_toml(path: Path, tables: Mapping[str, Mapping[str, Any]]) -> None:
    """Tables by their dotted names, "" first; values are texts, numbers, booleans, lists of them, and mappings of such.

    The file is there whole or as it was. Raises OSError.
    """
    blocks = []
    for title, table in tables.items():
        lines = [f"[{title}]"] if title else []
        blocks.append("\n".join([*lines, *(f"{_key(key)} = {_value(value)}" for key, value in table.items())]))
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        write_whole(draft, "\n\n".join(blocks) + "\n")
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


def write_whole(path: Path, text: str) -> None:
    """With the data on the disk before the folder gets its name."""
    with path.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


def _key(key: str) -> str:
    return key if _BARE.match(key) else _value(key)


def _value(value: Any) -> str:
    """JSON's texts, numbers and lists are TOML's too, but for DEL."""
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{_key(key)} = {_value(inner)}" for key, inner in value.items()) + " }"
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007F")
