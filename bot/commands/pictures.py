"""One picture of several avatars: what /avatar shows above its menu. Drawn once, and kept until an avatar changes."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Sequence
from pathlib import Path

from bot.commands.menus import cut, named
from core.catalogue import Avatar
from core.errors import StorageError
from core.logging import get_logger
from core.storage import Storage

log = get_logger("bot.pictures")

FOLDER = "pictures"
NAME = 20
"""Characters of a name that fit under a portrait."""
STYLE = 1
"""Another number when pictures are drawn otherwise."""


async def of_avatars(storage: Storage, numbered: Sequence[tuple[int, Avatar]], language: str) -> str | None:
    """The picture's name in the storage, another one when an avatar changes; None where it can't be drawn."""
    try:
        name = f"{FOLDER}/avatars-{language}-{_digest(numbered, language)}.jpg"
        if not storage.path(name).is_file():
            await asyncio.to_thread(_write, storage, name, numbered, language)
        return name
    except (OSError, ValueError, StorageError) as error:
        log.warning("no_picture_of_avatars", error=type(error).__name__)
        return None


def _digest(numbered: Sequence[tuple[int, Avatar]], language: str) -> str:
    shown = [(number, avatar.id, named(avatar.name, language), *_state(avatar.portrait)) for number, avatar in numbered]
    return hashlib.sha256(repr((STYLE, shown)).encode()).hexdigest()[:16]


def _state(path: Path) -> tuple[int, int]:
    found = path.stat()
    return found.st_mtime_ns, found.st_size


def _write(storage: Storage, name: str, numbered: Sequence[tuple[int, Avatar]], language: str) -> None:
    from bot.commands import drawing  # Pillow is loaded where something is drawn

    labelled = [(number, cut(named(avatar.name, language), NAME), avatar.portrait) for number, avatar in numbered]
    with storage.writing(name) as draft:
        drawing.write(draft, labelled, language)
