"""What is asked of tasks: add, claim, finish, free."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from sqlalchemy import and_, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.orm import aliased

from core.errors import LeaseLost
from core.states import TaskState
from db.models import Task
from db.sessions import Database


async def add(
    connection: AsyncConnection,
    kind: str,
    payload: Mapping[str, Any],
    *,
    key: str,
    conversation_id: uuid.UUID | None = None,
    worker: str = "courier",
) -> int | None:
    """The new task's number; None where one of that key is there already."""
    values = {"kind": kind, "worker": worker, "dedupe_key": key, "payload": payload, "conversation_id": conversation_id}
    added = await connection.execute(
        upsert(Task).values(**values).on_conflict_do_nothing(index_elements=["dedupe_key"]).returning(Task.id)
    )
    number = added.scalar_one_or_none()
    return None if number is None else int(number)


async def claim(database: Database, owner: str, lease_s: float, worker: str = "courier") -> Mapping[str, Any] | None:
    """The oldest task that may run now, or whose holder no longer renews; None where there is none."""
    waiting = aliased(Task, name="waiting")
    free = or_(
        and_(waiting.state == TaskState.QUEUED, waiting.not_before <= func.now()),
        and_(waiting.state == TaskState.RUNNING, waiting.lease_until < func.now()),
    )
    oldest = (
        select(waiting.id)
        .where(waiting.worker == worker, free)
        .order_by(waiting.id)
        .limit(1)
        .with_for_update(skip_locked=True)
        .scalar_subquery()
    )
    async with database.begin() as connection:
        row = await connection.execute(
            update(Task)
            .where(Task.id == oldest)
            .values(
                state=TaskState.RUNNING,
                attempts=Task.attempts + 1,
                fence=Task.fence + 1,
                lease_owner=owner,
                lease_until=func.now() + timedelta(seconds=lease_s),
            )
            .returning(*Task.__table__.columns)
        )
        found = row.mappings().one_or_none()
    return None if found is None else dict(found)


async def finish(
    connection: AsyncConnection,
    task: Mapping[str, Any],
    state: TaskState,
    *,
    result: Mapping[str, Any] | None = None,
    error: Mapping[str, Any] | None = None,
    delay_s: float = 0.0,
) -> None:
    """Writes how it ended (`queued` with a delay: to be tried again), in the transaction of what it did.

    Raises LeaseLost where another holds it by now.
    """
    held = await connection.execute(
        update(Task)
        .where(Task.id == task["id"], Task.fence == task["fence"], Task.state == TaskState.RUNNING)
        .values(
            state=state,
            result=result,
            error=error,
            lease_owner=None,
            lease_until=None,
            not_before=func.now() + timedelta(seconds=delay_s),
            ended_at=None if state is TaskState.QUEUED else func.now(),
        )
    )
    if held.rowcount != 1:
        raise LeaseLost


async def take_back(database: Database, owner: str) -> int:
    """What a dead process of the same name held is free at once."""
    async with database.begin() as connection:
        done = await connection.execute(
            update(Task)
            .where(Task.state == TaskState.RUNNING, Task.lease_owner == owner)
            .values(state=TaskState.QUEUED, lease_owner=None, lease_until=None)
        )
    return int(done.rowcount)


async def waiting(database: Database, worker: str = "courier") -> bool:
    """Whether some task could be claimed now."""
    async with database.begin() as connection:
        free = or_(
            and_(Task.state == TaskState.QUEUED, Task.not_before <= func.now()),
            and_(Task.state == TaskState.RUNNING, Task.lease_until < func.now()),
        )
        found = await connection.scalar(select(Task.id).where(Task.worker == worker, free).limit(1))
    return found is not None
