"""A new avatar from a photo, with a preview of it; or the end of one."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.administration.replies import menu, notice
from core import idling
from core.errors import NotFound
from core.storage import storage_errors
from db import audit, choices, prepared
from db import idling as db_idling
from worker.adding.avatar import add_avatar, remove_avatar
from worker.tasks._source import sourced
from worker.tasks.base import Done, Office


async def run(office: Office, task: Mapping[str, Any]) -> Done:
    """payload: as bot.administration.avatars writes it. Raises what add_avatar, remove_avatar and fetching raise."""
    return await (_remove if task["payload"]["act"] == "remove" else _add)(office, task)


async def _add(office: Office, task: Mapping[str, Any]) -> Done:
    payload = task["payload"]
    new, language = payload["id"], payload["language"]
    if not _known(office, new):
        async with sourced(office, task, "error-photo-gone") as photo:
            await add_avatar(
                photo,
                avatar_id=new,
                name=payload["name"],
                voice=payload["voice"],
                root=office.settings.data_dir,
                template=office.catalogue.avatar(payload["template"]),
                added_by=payload["actor"],
            )
    loop = await asyncio.to_thread(idling.loop_of, office.catalogue.avatar(new))
    uses = [(f"/avatar {new}", "admin-use-here"), (f"/admin avatar {new} everyone", "admin-use-everyone")]
    told = menu("admin-avatar-ready", language, uses, name=payload["name"][language], command=f"/avatar {new}")

    async def write(connection: AsyncConnection) -> list[uuid.UUID]:
        await audit.write(connection, payload["actor"], "avatar-added", new)
        # Whoever works on this task looks for the next one when it ends.
        await db_idling.order(connection, loop)
        if task["conversation_id"] is None:
            return []
        said = office.catalogue.avatar(new).persona.greeting[language]
        preview = await prepared.add(connection, task["conversation_id"], text=said, language=language, avatar=new)
        return [preview] if preview else []

    return Done(result={"id": new}, replies=[told], write=write)


def _known(office: Office, avatar: str) -> bool:
    """Whether an earlier attempt has built it: until the task ends, its id is nobody else's."""
    try:
        return office.catalogue.avatar(avatar).rig.is_file()
    except NotFound:
        return False


def _forget_half(data_dir: Path, avatar: str) -> None:
    from worker.faces import halves  # OpenCV comes with it

    with storage_errors():
        halves.forget(data_dir, avatar)


async def _remove(office: Office, task: Mapping[str, Any]) -> Done:
    payload = task["payload"]
    old = payload["id"]
    # An earlier attempt may have removed it already.
    with suppress(NotFound):
        await asyncio.to_thread(remove_avatar, office.settings.data_dir, old)
    await asyncio.to_thread(idling.forget, office.settings.data_dir, old)
    await asyncio.to_thread(_forget_half, office.settings.data_dir, old)

    async def write(connection: AsyncConnection) -> list[uuid.UUID]:
        """Whoever chose it in the meantime falls back, too."""
        await choices.forget_avatar(connection, old, payload["instead"])
        await audit.write(connection, payload["actor"], "avatar-removed", old)
        return []

    return Done(result={"id": old}, replies=[notice("admin-avatar-gone", payload["language"], id=old)], write=write)
