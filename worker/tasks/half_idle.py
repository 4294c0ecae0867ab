"""The end of an idle loop that the render process's engine has drawn (worker.orders.idle)."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from core import idling
from core.errors import NotFound, VideoError
from worker.tasks.base import Done, Office


async def run(office: Office, task: Mapping[str, Any]) -> Done:
    """payload: as db.idling.order_half writes it. Only loops of the avatar as it is now are kept. Raises VideoError for
    good where none was drawn, StorageError, NotFound for what is no avatar's id."""
    avatar, data_dir = task["payload"]["id"], office.settings.data_dir.resolve()
    try:
        now = await asyncio.to_thread(idling.fingerprints, office.catalogue.avatar(avatar))
    except NotFound:
        now = set()
    await asyncio.to_thread(idling.forget, data_dir, avatar, but=now)
    result = task["result"] or {}
    if now and "done" not in result:
        code = result.get("failed", {}).get("code")
        raise VideoError(f"no idle loop of {avatar} was drawn: {code}", refused=True)
    return Done(result={"id": avatar, **result.get("done", {})})
