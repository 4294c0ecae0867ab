"""What is asked of the outbox: deliver, claim, settle, recover.

A row is sendable when no earlier turn of its conversation has an open row; rows of one turn go in the order in which
they were written. Rows without a turn (replies to commands) wait for nobody.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, Executable, Uuid, and_, bindparam, func, literal, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.orm import aliased

from core.errors import LeaseLost
from core.states import OPEN, OutboxState
from db.models import Conversation, OutboxRow
from db.sessions import Database
from db.turns import end_delivered


@dataclass(frozen=True)
class Settled:
    """Rows that are closed now, in order, and the turns that are done with them, with their seconds since intake."""

    rows: tuple[Mapping[str, Any], ...]
    ended: Mapping[uuid.UUID, float]

    @property
    def done(self) -> tuple[uuid.UUID, ...]:
        return tuple(self.ended)


def _sendable(row: type[OutboxRow]) -> ColumnElement[bool]:
    earlier = aliased(OutboxRow, name="earlier")
    blocking = (
        select(literal(1))
        .where(
            earlier.conversation_id == row.conversation_id,
            earlier.state.in_(OPEN),
            or_(earlier.turn_seq < row.turn_seq, and_(earlier.turn_seq == row.turn_seq, earlier.id < row.id)),
        )
        .correlate(row)
    )
    return and_(row.state == OutboxState.PENDING, row.not_before <= func.now(), ~blocking.exists())


async def meet(
    database: Database, conversation_id: uuid.UUID, at_once: Callable[[str], bool]
) -> tuple[str | None, Settled]:
    """The channel of a conversation, None where there is no such one; `deliver` where the channel is `at_once`."""
    async with database.begin() as connection:
        found = await connection.scalar(select(Conversation.channel).where(Conversation.id == conversation_id))
        if found is None or not at_once(found):
            return found, Settled((), {})
        return found, await _delivered(connection, conversation_id)


async def deliver(database: Database, conversation_id: uuid.UUID) -> Settled:
    """For a channel whose sending *is* the settled row: everything pending is delivered, in one transaction."""
    async with database.begin() as connection:
        return await _delivered(connection, conversation_id)


async def _delivered(connection: AsyncConnection, conversation_id: uuid.UUID) -> Settled:
    rows = await connection.execute(_deliver(), {"conversation": conversation_id})
    delivered = sorted(map(dict, rows.mappings()), key=lambda row: row["id"])
    return Settled(tuple(delivered), await end_delivered(connection, conversation_id))


@cache
def _deliver() -> Executable:
    """Built once: building takes longer than executing."""
    return (
        update(OutboxRow)
        .where(
            OutboxRow.conversation_id == bindparam("conversation", type_=Uuid), OutboxRow.state == OutboxState.PENDING
        )
        .values(state=OutboxState.DELIVERED, attempts=OutboxRow.attempts + 1, settled_at=func.now())
        .returning(*OutboxRow.__table__.columns)
    )


async def claim(database: Database, conversation_id: uuid.UUID, owner: str, lease_s: float) -> Mapping[str, Any] | None:
    """The conversation's next row, leased to `owner`; None where nothing may be sent now."""
    row = aliased(OutboxRow, name="sendable")
    chosen = (
        select(row.id)
        .where(row.conversation_id == conversation_id, _sendable(row))
        .order_by(row.turn_seq.nulls_first(), row.id)
        .limit(1)
        .with_for_update(skip_locked=True)
        .scalar_subquery()
    )
    async with database.begin() as connection:
        found = await connection.execute(
            update(OutboxRow)
            .where(OutboxRow.id == chosen, OutboxRow.state == OutboxState.PENDING)
            .values(
                state=OutboxState.SENDING,
                attempts=OutboxRow.attempts + 1,
                fence=OutboxRow.fence + 1,
                lease_owner=owner,
                lease_until=func.now() + timedelta(seconds=lease_s),
            )
            .returning(*OutboxRow.__table__.columns)
        )
        claimed = found.mappings().one_or_none()
    return None if claimed is None else dict(claimed)


async def settle(
    database: Database,
    row: Mapping[str, Any],
    state: OutboxState,
    *,
    external_id: str | None = None,
    error: Mapping[str, Any] | None = None,
    delay_s: float = 0.0,
) -> Settled:
    """Writes what became of a claimed row (`pending` with a delay: to be tried again). Raises LeaseLost."""
    async with database.begin() as connection:
        held = await connection.execute(
            update(OutboxRow)
            .where(
                OutboxRow.id == row["id"],
                OutboxRow.fence == row["fence"],
                OutboxRow.state == OutboxState.SENDING,
            )
            .values(
                state=state,
                external_id=external_id,
                error=error,
                lease_owner=None,
                lease_until=None,
                settled_at=None if state in OPEN else func.now(),
                not_before=func.now() + timedelta(seconds=delay_s),
            )
        )
        if held.rowcount != 1:
            raise LeaseLost
        done = await end_delivered(connection, row["conversation_id"])
    return Settled((dict(row),), done)


async def end_turns(database: Database, conversation_id: uuid.UUID) -> Settled:
    """Ends the conversation's turns whose rows were all closed before they were rendered."""
    async with database.begin() as connection:
        return Settled((), await end_delivered(connection, conversation_id))


async def recover(database: Database, owner: str | None = None) -> int:
    """Rows whose sender died inside the send call: sent once more, marked as a repetition; a second time `unknown`.

    owner: a dead process of this name, whose leases need not run out first.
    """
    dead = OutboxRow.lease_until < func.now() if owner is None else OutboxRow.lease_owner == owner
    values = {"lease_owner": None, "lease_until": None}
    async with database.begin() as connection:
        again = await connection.execute(
            update(OutboxRow)
            .where(OutboxRow.state == OutboxState.SENDING, dead, ~OutboxRow.payload.has_key("repeated"))
            .values(
                state=OutboxState.PENDING,
                payload=OutboxRow.payload.op("||")(func.jsonb_build_object("repeated", True)),
                **values,
            )
        )
        lost = await connection.execute(
            update(OutboxRow)
            .where(OutboxRow.state == OutboxState.SENDING, dead)
            .values(state=OutboxState.UNKNOWN, settled_at=func.now(), **values)
        )
    return int(again.rowcount) + int(lost.rowcount)
