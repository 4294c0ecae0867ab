"""An avatar's idle loop, drawn in a process of its own."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from core import idling
from core.catalogue import Avatar
from core.errors import NotFound, StorageError, VideoError
from core.logging import get_logger
from worker.adding.limited import ask
from worker.tasks.base import Done, Office

log = get_logger(__name__)

PROCESS = "worker.idling"
TIMEOUT_S = 120.0


async def run(office: Office, task: Mapping[str, Any]) -> Done:
    """payload: as db.idling.order writes it. Of an avatar that was removed meanwhile nothing is left, of one that was
    replaced what shows it as it is. Raises VideoError, StorageError, NotFound for what is no avatar's id."""
    payload, data_dir = task["payload"], office.settings.data_dir.resolve()
    try:
        avatar = office.catalogue.avatar(payload["id"])
        loop = await asyncio.to_thread(idling.loop_of, avatar, payload["width"], payload["height"])
        path = loop.path(data_dir)
        if not path.is_file():
            await _make(avatar, path, loop)
        now = await asyncio.to_thread(idling.loop_of, office.catalogue.avatar(avatar.id))
    except NotFound:
        await asyncio.to_thread(idling.forget, data_dir, payload["id"])
        return Done()
    await asyncio.to_thread(idling.forget, data_dir, avatar.id, but=now)
    return Done(result={"id": avatar.id, "fingerprint": loop.fingerprint})


async def _make(avatar: Avatar, path: Path, loop: idling.Loop) -> None:
    began = time.perf_counter()
    size = (str(loop.width), str(loop.height))
    answer = await ask(PROCESS, str(avatar.folder.resolve()), str(path), *size, timeout_s=TIMEOUT_S)
    if answer.get("failed") == "storage":
        raise StorageError("the idle loop could not be written")
    if "bytes" not in answer:
        raise VideoError(answer.get("failed", "the process that draws idle loops died"))
    log.info("idle_loop_made", avatar=avatar.id, bytes=answer["bytes"], seconds=round(time.perf_counter() - began, 2))
