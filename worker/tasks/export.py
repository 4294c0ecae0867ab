"""/export: everything that is kept of a person, as one file that is sent to them."""

from __future__ import annotations

import asyncio
import json
import time
import uuid
import zipfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from bot.channels.registry import limits_of
from core.errors import NotFound
from core.i18n import t
from core.storage import Storage, storage_errors
from db import people
from worker.tasks.base import Done, Office

RECORD = "smarttalker.json"
MARGIN = 1_000_000
"""Bytes that a ZIP's own tables and the platform's form may add."""
OLD_S = 3600.0
"""An earlier export was sent by then."""


async def run(office: Office, task: Mapping[str, Any]) -> Done:
    """payload: {"contact_id", "language"}. Raises StorageError."""
    contact_id = uuid.UUID(task["payload"]["contact_id"])
    language = task["payload"].get("language")
    async with office.database.begin() as connection:
        kept = await people.kept(connection, contact_id)
        belongings = await people.belongings(connection, contact_id)
    if not belongings.chats:
        return Done()
    own = next((row for row in belongings.chats if row["id"] == task["conversation_id"]), belongings.chats[0])
    limits = limits_of(own["channel"])
    record = json.dumps(kept, ensure_ascii=False, indent=1, default=str).encode()
    names = sorted(belongings.names - {f"{people.EXPORTS}/{contact_id}"})
    files = await asyncio.to_thread(_files, office.storage, names)
    whole = limits.archives and _size(files) + len(record) + MARGIN <= limits.max_document_bytes
    target = f"{people.EXPORTS}/{contact_id}/{task['id']}{'.zip' if limits.archives else '.txt'}"
    await asyncio.to_thread(_write, office.storage, target, record, files if whole else [])
    message_id = "export-done" if whole else "export-without-media"
    payload = {
        "path": target,
        "filename": "smarttalker.zip" if limits.archives else "smarttalker.txt",
        "text": t(message_id, language),
        "language": language,
        "id": message_id,
    }
    return Done(result={"media": whole}, replies=[{"kind": "document", "payload": payload}])


def _files(storage: Storage, names: Sequence[str]) -> list[tuple[str, Path]]:
    """(name in the archive, path) of every file below the folders."""
    found = []
    for name in names:
        with suppress(NotFound):
            folder = storage.path(name)
            found += [(storage.name(path), path) for path in sorted(folder.rglob("*")) if path.is_file()]
    return found


def _size(files: Sequence[tuple[str, Path]]) -> int:
    return sum(path.stat().st_size for _, path in files if path.exists())


def _write(storage: Storage, target: str, record: bytes, files: Sequence[tuple[str, Path]]) -> None:
    _remove_old(storage.path(target).parent)
    with storage.writing(target) as draft, storage_errors():
        if not target.endswith(".zip"):
            draft.write_bytes(record)
            return
        with zipfile.ZipFile(draft, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(RECORD, record)
            for name, path in files:
                with suppress(FileNotFoundError):
                    archive.write(path, f"media/{name}", zipfile.ZIP_STORED)


def _remove_old(folder: Path) -> None:
    """Exports that were sent long ago."""
    for path in folder.glob("*") if folder.is_dir() else ():
        with suppress(OSError):
            if path.stat().st_mtime < time.time() - OLD_S:
                path.unlink()
