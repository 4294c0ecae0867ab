"""The tasks that make avatars' idle loops: one a loop, however many ask for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import and_, func, or_, select
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from core.idling import HalfLoop, Loop
from core.states import TaskState
from db import tasks
from db.models import Task

KIND = "idle"
HALF_KIND = "half_idle"
FAILED_S = 600.0
"""So long a loop that could not be made is not tried again."""


@dataclass(frozen=True)
class Ordered:
    """rings: the number of a task that has just become claimable. error: {"code", "message_id", "args"} of the last
    attempt, where it failed for good a short while ago."""

    rings: int | None = None
    error: Mapping[str, Any] | None = None


async def order(connection: AsyncConnection, loop: Loop) -> Ordered:
    """Sees to it that the loop, whose file is missing, will be made.

    A task that was done is begun anew, since its file is gone; one that failed, after FAILED_S.
    """
    payload = {"id": loop.avatar, "width": loop.width, "height": loop.height}
    return await _order(connection, loop.key, KIND, tasks.COURIER, payload)


async def order_half(connection: AsyncConnection, loop: HalfLoop) -> Ordered:
    """As `order`, of a loop that an engine of the render process draws when no turn waits."""
    told = {"do": "idle", "avatar": loop.avatar, "media": str(loop.place)}
    return await _order(connection, loop.key, HALF_KIND, tasks.RENDER, {"id": loop.avatar, "order": told})


async def _order(connection: AsyncConnection, key: str, kind: str, worker: str, payload: Mapping[str, Any]) -> Ordered:
    values = {"kind": kind, "worker": worker, "dedupe_key": key, "payload": payload}
    anew = {"state": TaskState.QUEUED, "attempts": 0, "not_before": func.now(), "worker": worker}
    nothing = {"error": None, "result": None, "ended_at": None}
    long_ago = Task.ended_at < func.now() - timedelta(seconds=FAILED_S)
    asked = await connection.execute(
        upsert(Task)
        .values(**values)
        .on_conflict_do_update(
            index_elements=["dedupe_key"],
            set_=anew | nothing,
            where=or_(Task.state == TaskState.DONE, and_(Task.state == TaskState.FAILED, long_ago)),
        )
        .returning(Task.id)
    )
    if (number := asked.scalar_one_or_none()) is not None:
        return Ordered(rings=int(number))
    failed = select(Task.error).where(Task.dedupe_key == key, Task.state == TaskState.FAILED)
    return Ordered(error=await connection.scalar(failed))
