"""What is asked of tasks: add, claim, renew, hand over, finish, free."""

from __future__ import annotations

import uuid
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import timedelta
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, Executable, Interval, and_, bindparam, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.orm import aliased

from core.errors import LeaseLost
from core.states import TaskState
from db import leases, outbox
from db.consequences import lock
from db.models import Conversation, Task
from db.sessions import Database

Write = Callable[[AsyncConnection], Awaitable[list[Any]]]

COURIER, RENDER = "courier", "render"
"""Who may claim a task. Render claims those whose payload has an `order` for the engines, and hands them over to the
courier with what the engines answered; the courier ends them."""
_HANDED = {"worker": COURIER, "state": TaskState.QUEUED, "attempts": 0, "not_before": func.now()}


async def add(
    connection: AsyncConnection,
    kind: str,
    payload: Mapping[str, Any],
    *,
    key: str,
    conversation_id: uuid.UUID | None = None,
    worker: str = COURIER,
) -> int | None:
    """The new task's number; None where one of that key is there already."""
    values = {"kind": kind, "worker": worker, "dedupe_key": key, "payload": payload, "conversation_id": conversation_id}
    added = await connection.execute(
        upsert(Task).values(**values).on_conflict_do_nothing(index_elements=["dedupe_key"]).returning(Task.id)
    )
    number = added.scalar_one_or_none()
    return None if number is None else int(number)


async def claim(database: Database, owner: str, lease_s: float, worker: str = COURIER) -> Mapping[str, Any] | None:
    """The oldest task that may run now, or whose holder no longer renews; None where there is none."""
    parameters = {"owner": owner, "lease": timedelta(seconds=lease_s), "claimant": worker}
    async with database.begin() as connection:
        found = (await connection.execute(_claim(), parameters)).mappings().one_or_none()
    return None if found is None else dict(found)


@cache
def _claim() -> Executable:
    """With the parameters `claimant`, `owner` and `lease`. Built once: building takes longer than executing, and the
    render process asks whenever it has nothing else to do."""
    waiting = aliased(Task, name="waiting")
    oldest = select(waiting.id).where(waiting.worker == bindparam("claimant"), _free(waiting))
    return (
        update(Task)
        .where(Task.id == oldest.order_by(waiting.id).limit(1).with_for_update(skip_locked=True).scalar_subquery())
        .values(
            state=TaskState.RUNNING,
            attempts=Task.attempts + 1,
            fence=Task.fence + 1,
            lease_owner=bindparam("owner"),
            lease_until=func.now() + bindparam("lease", type_=Interval),
        )
        .returning(*Task.__table__.columns)
    )


def _free(task: type[Task]) -> ColumnElement[bool]:
    """Nobody works on it, and it may begin now."""
    queued = and_(task.state == TaskState.QUEUED, task.not_before <= func.now())
    return or_(queued, and_(task.state == TaskState.RUNNING, task.lease_until < func.now()))


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
    values: dict[str, Any] = {"state": state, "error": error, "not_before": func.now() + timedelta(seconds=delay_s)}
    if state is not TaskState.QUEUED:
        values |= {"result": result, "ended_at": func.now()}
    if not await _let_go(connection, _held(task), values):
        raise LeaseLost


async def hand_over(database: Database, task: Mapping[str, Any], result: Mapping[str, Any]) -> None:
    """The engines' part has ended. result: what the courier finds in the task's row. Raises LeaseLost."""
    async with database.begin() as connection:
        if not await _let_go(connection, _held(task), _HANDED | {"result": result}):
            raise LeaseLost


async def hand_over_late(database: Database, waited_s: float) -> int:
    """Tasks for engines, on whose end a conversation has waited so long and that nobody works on, go to the courier
    without a result; how many."""
    late = and_(
        Task.worker == RENDER,
        Task.conversation_id.is_not(None),
        Task.created_at < func.now() - timedelta(seconds=waited_s),
        or_(Task.state == TaskState.QUEUED, and_(Task.state == TaskState.RUNNING, Task.lease_until < func.now())),
    )
    async with database.begin() as connection:
        return await _let_go(connection, late, _HANDED)


async def _let_go(connection: AsyncConnection, which: ColumnElement[bool], values: Mapping[str, Any]) -> int:
    """Nobody holds them any more; how many there were."""
    done = await connection.execute(update(Task).where(which).values(lease_owner=None, lease_until=None, **values))
    return int(done.rowcount)


async def renew(database: Database, task: Mapping[str, Any], lease_s: float) -> bool:
    """Renews the lease; False where another holds the task by now."""
    return await leases.renew(database, Task, _held(task), lease_s)


async def complete(
    database: Database,
    task: Mapping[str, Any],
    result: Mapping[str, Any],
    replies: Sequence[Mapping[str, Any]] = (),
    write: Write | None = None,
) -> list[Any]:
    """The task is done, with rows {"kind", "payload"} for its conversation's outbox and what else is to be written, in
    one transaction; what `write` returned. Raises LeaseLost."""
    async with database.begin() as connection:
        await _lock(connection, task)
        await finish(connection, task, TaskState.DONE, result=result)
        await _reply(connection, task, replies)
        return await write(connection) if write is not None else []


async def fail(
    database: Database,
    task: Mapping[str, Any],
    error: Mapping[str, Any],
    notice: Callable[[str | None], Mapping[str, Any]],
) -> None:
    """The task has failed for good. notice: a row that tells its conversation, from the language that is known of it.

    Raises LeaseLost.
    """
    async with database.begin() as connection:
        await _lock(connection, task)
        await finish(connection, task, TaskState.FAILED, error=error)
        spoken = await connection.scalar(
            select(func.coalesce(Conversation.language, Conversation.hint)).where(
                Conversation.id == task["conversation_id"]
            )
        )
        await _reply(connection, task, [notice(spoken)])


async def again(database: Database, task: Mapping[str, Any], error: Mapping[str, Any], delay_s: float) -> None:
    """The task is tried again after the delay. Raises LeaseLost."""
    async with database.begin() as connection:
        await finish(connection, task, TaskState.QUEUED, error=error, delay_s=delay_s)


async def give_back(database: Database, task: Mapping[str, Any], delay_s: float = 0.0) -> None:
    """Whoever is free may begin it anew, and this attempt does not count. Raises LeaseLost."""
    async with database.begin() as connection:
        await finish(connection, task, TaskState.QUEUED, delay_s=delay_s)
        await connection.execute(update(Task).where(Task.id == task["id"]).values(attempts=Task.attempts - 1))


async def _lock(connection: AsyncConnection, task: Mapping[str, Any]) -> None:
    """The conversation first, as everybody does who writes to it."""
    if task["conversation_id"] is not None:
        await lock(connection, task["conversation_id"])


async def _reply(connection: AsyncConnection, task: Mapping[str, Any], replies: Sequence[Mapping[str, Any]]) -> None:
    """A task that no conversation asked for tells nobody."""
    if task["conversation_id"] is not None:
        shared = {"conversation_id": task["conversation_id"]}
        keyed = [{"dedupe_key": f"task:{task['id']}:{n}", **shared, **row} for n, row in enumerate(replies)]
        await outbox.add(connection, keyed)


def _held(task: Mapping[str, Any]) -> ColumnElement[bool]:
    return and_(Task.id == task["id"], Task.fence == task["fence"], Task.state == TaskState.RUNNING)


async def take_back(database: Database, owner: str) -> int:
    """What a dead process of the same name held is free at once."""
    held = and_(Task.state == TaskState.RUNNING, Task.lease_owner == owner)
    async with database.begin() as connection:
        return await _let_go(connection, held, {"state": TaskState.QUEUED})


async def awaited(database: Database) -> bool:
    """Whether some task for engines that a conversation waits for could be claimed now."""
    awaited = and_(Task.worker == RENDER, Task.conversation_id.is_not(None), _free(Task))
    async with database.begin() as connection:
        return await connection.scalar(select(Task.id).where(awaited).limit(1)) is not None


async def waiting(database: Database, worker: str = COURIER) -> bool:
    """Whether some task could be claimed now."""
    async with database.begin() as connection:
        found = await connection.scalar(select(Task.id).where(Task.worker == worker, _free(Task)).limit(1))
    return found is not None
