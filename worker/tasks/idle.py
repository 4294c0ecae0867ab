"""An avatar's idle loop, drawn by the puppet in a process of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from core import idling
from core.errors import NotFound
from worker.filming import film
from worker.tasks.base import Done, Office


async def run(office: Office, task: Mapping[str, Any]) -> Done:
    """payload: as db.idling.order writes it. Of an avatar that was removed meanwhile nothing is left, of one that was
    replaced what shows it as it is. Raises VideoError, StorageError, NotFound for what is no avatar's id."""
    payload, data_dir = task["payload"], office.settings.data_dir.resolve()
    try:
        avatar = office.catalogue.avatar(payload["id"])
        loop = await asyncio.to_thread(idling.loop_of, avatar, payload["width"], payload["height"])
        path = loop.path(data_dir)
        if not path.is_file():
            await film(avatar, loop, path)
        now = await asyncio.to_thread(idling.fingerprints, office.catalogue.avatar(avatar.id))
    except NotFound:
        await asyncio.to_thread(idling.forget, data_dir, payload["id"])
        return Done()
    await asyncio.to_thread(idling.forget, data_dir, avatar.id, but=now)
    return Done(result={"id": avatar.id, "fingerprint": loop.fingerprint})
