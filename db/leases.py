"""What is held for a while: work that lives as long as its holder renews the lease."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import ColumnElement, func, update

from db.models import OutboxRow, Task, Turn
from db.sessions import Database


async def renew(
    database: Database, table: type[OutboxRow | Task | Turn], held: ColumnElement[bool], lease_s: float
) -> bool:
    """`held`: the row, where it is still its holder's. False where it is not."""
    until = func.now() + timedelta(seconds=lease_s)
    async with database.begin() as connection:
        done = await connection.execute(update(table).where(held).values(lease_until=until))
    return bool(done.rowcount)
