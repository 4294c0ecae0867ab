"""Has the puppet film an avatar that waits, in a process of its own (worker.idling)."""

from __future__ import annotations

import time
from pathlib import Path

from core.catalogue import Avatar
from core.errors import StorageError, VideoError
from core.idling import Loop
from core.logging import get_logger
from worker.adding.limited import ask

log = get_logger(__name__)

PROCESS = "worker.idling"
TIMEOUT_S = 120.0


async def film(avatar: Avatar, loop: Loop, path: Path) -> None:
    """Writes the avatar's loop, whole or not at all. path: absolute. Raises VideoError, StorageError."""
    began = time.perf_counter()
    size = (str(loop.width), str(loop.height))
    answer = await ask(PROCESS, str(avatar.folder.resolve()), str(path), *size, timeout_s=TIMEOUT_S)
    if answer.get("failed") == "storage":
        raise StorageError("the idle loop could not be written")
    if "bytes" not in answer:
        raise VideoError(answer.get("failed", "the process that draws idle loops died"))
    log.info("idle_loop_made", avatar=avatar.id, bytes=answer["bytes"], seconds=round(time.perf_counter() - began, 2))
