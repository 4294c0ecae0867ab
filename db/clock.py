"""The database's clock, the only one that leases and delays know, and what is to be done when it was set back."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import Float, cast, func, select, update

from core.states import BEFORE_RENDERED, OPEN, OutboxState, TaskState
from db.models import OutboxRow, Task, Turn
from db.sessions import Database

LONGEST_WAIT_S = 60.0
"""What backs off waits no longer; a platform that asked for more says so again."""


async def now(database: Database) -> float:
    """Seconds since 1970. Raises DatabaseUnavailable."""
    async with database.begin() as connection:
        return float(await connection.scalar(select(cast(func.extract("epoch", func.clock_timestamp()), Float))) or 0)


async def set_back(database: Database, lease_s: float) -> None:
    """Nobody waits for hours that have been before: what is open is due at the latest as if it had just been delayed,
    leases end as if they had just been given, and places in the line are no later than now. May be done twice."""
    due, ends = func.now() + timedelta(seconds=LONGEST_WAIT_S), func.now() + timedelta(seconds=lease_s)
    async with database.begin() as connection:
        await connection.execute(
            update(OutboxRow)
            .where(OutboxRow.state == OutboxState.PENDING, OutboxRow.created_at > func.now())
            .values(not_before=func.now(), created_at=func.now())
        )
        for row, waiting in (
            (OutboxRow, OutboxRow.state.in_(OPEN)),
            (Turn, Turn.state.in_(BEFORE_RENDERED)),
            (Task, Task.state.in_((TaskState.QUEUED, TaskState.RUNNING))),
        ):
            await connection.execute(update(row).where(waiting, row.not_before > due).values(not_before=due))
            await connection.execute(update(row).where(waiting, row.lease_until > ends).values(lease_until=ends))
        await connection.execute(
            update(Turn)
            .where(Turn.state.in_(BEFORE_RENDERED), Turn.created_at > func.now())
            .values(
                created_at=func.now(),
                fair_at=func.least(Turn.fair_at, func.now()),
                queued_at=func.least(Turn.queued_at, func.now()),
                not_before=func.now(),
            )
        )
