"""Folders of avatars and voices below DATA_DIR: written whole or not at all, and removed for good."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
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


@contextmanager
def adding(root: Path, kind: str, new: str) -> Iterator[Path]:
    """A draft folder that becomes root/kind/new at the end of the block, and is gone after an error.

    Raises InputError for an id that is none, Conflict for one in use now or ever before, StorageError.
    """
    if not ID.match(new):
        raise InputError("an id has 1 to 48 small letters, digits, - and _", message_id="error-id-wrong")
    target = root / kind / new
    _check_free(target)
    with storage_errors():
        target.parent.mkdir(parents=True, exist_ok=True)
        _sweep(target.parent)
        draft = target.with_name(f"{DRAFT}{secrets.token_hex(6)}")
        draft.mkdir()
    try:
        yield draft
        _check_free(target)
        with storage_errors():
            draft.rename(target)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _check_free(target: Path) -> None:
    shipped = HOME / target.parent.name / target.name
    if target.exists() or shipped.exists() or target.name in removed_ids(target.parent):
        raise Conflict(f"the id {target.name} is in use, or was", message_id="error-id-taken", id=target.name)


def _sweep(parent: Path) -> None:
    for draft in parent.glob(f"{DRAFT}*"):
        if time.time() - draft.stat().st_mtime > STALE_S:
            shutil.rmtree(draft, ignore_errors=True)


def remove(root: Path, kind: str, old: str) -> None:
    """Deletes root/kind/old and remembers its id.

    Raises NotFound, Forbidden for what is shipped with SmartTalker, StorageError.
    """
    what = kind.removesuffix("s")
    target = root / kind / checked_id(old, what)
    if not (target / f"{what}.toml").is_file():
        if (HOME / kind / old).is_dir():
            raise Forbidden(f"the {what} {old} belongs to SmartTalker: it stays", message_id=f"error-{what}-shipped")
        raise NotFound(f"no {what} is called {old}", message_id=f"error-no-{what}")
    gone = target.with_name(f"{DRAFT}{secrets.token_hex(6)}")
    with storage_errors():
        remember_removed(target.parent, old)
        target.rename(gone)
        shutil.rmtree(gone)


def write_toml(path: Path, tables: Mapping[str, Mapping[str, Any]]) -> None:
    """Tables by their dotted names, "" first; values are texts, numbers, lists of them, and mappings of texts."""
    blocks = []
    for title, table in tables.items():
        lines = [f"[{title}]"] if title else []
        blocks.append("\n".join([*lines, *(f"{key} = {_value(value)}" for key, value in table.items())]))
    write_whole(path, "\n\n".join(blocks) + "\n")


def write_whole(path: Path, text: str) -> None:
    """With the data on the disk before the folder gets its name."""
    with path.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


def _value(value: Any) -> str:
    """JSON's texts, numbers and lists are TOML's too, but for DEL."""
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{key} = {_value(inner)}" for key, inner in value.items()) + " }"
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007F")
