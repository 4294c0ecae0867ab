"""What is asked of the outbox: deliver, claim, settle; what a platform's statuses say of it is in db/statuses.py, what
is sent again or late in db/overlooked.py.

A row is sendable when no earlier turn of its conversation has an open row; rows of one turn go in the order in which
they were written. Rows without a turn (replies to commands) wait for one another, and for nobody else.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Executable,
    Interval,
    Uuid,
    and_,
    bindparam,
    cast,
    func,
    literal,
    or_,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.orm import aliased

from core.errors import LeaseLost
from core.states import OPEN, OutboxState
from db import leases
from db.consequences import Admins, follow, learn, lock
from db.endings import end_delivered, hold_unwanted
from db.models import Conversation, OutboxRow
from db.sessions import Database
from db.statuses import told
from db.written import at_most, is_in

__all__ = ["Settled", "Verdict", "told"]

_CHAT = (
    Conversation.channel,
    Conversation.account,
    Conversation.external_chat_id,
    Conversation.addresses,
    Conversation.traits,
    Conversation.is_group,
)


@dataclass(frozen=True)
class Settled:
    """Rows that are closed now, in order, and the turns that are done with them, with their seconds since intake.

    rings, cancels: as in db.consequences.Consequences.
    """

    rows: tuple[Mapping[str, Any], ...]
    ended: Mapping[uuid.UUID, float]
    rings: tuple[uuid.UUID, ...] = ()
    cancels: tuple[uuid.UUID, ...] = ()

    @property
    def done(self) -> tuple[uuid.UUID, ...]:
        return tuple(self.ended)


@dataclass(frozen=True)
class Verdict:
    """What became of a claimed row.

    code: of the error. delay_s: until it may be claimed again. refund: this attempt does not count. repeat: its outcome
    is hidden, so that the next attempt is a repetition. learned: as in bot.channels.base.Sent.
    """

    state: OutboxState
    code: str | None = None
    delay_s: float = 0.0
    refund: bool = False
    repeat: bool = False
    external_id: str | None = None
    learned: Mapping[str, Any] | None = None


def sendable(row: type[OutboxRow]) -> ColumnElement[bool]:
    """It may be sent now."""
    earlier = aliased(OutboxRow, name="earlier")
    together = earlier.turn_seq.is_not_distinct_from(row.turn_seq)
    blocking = (
        select(literal(1))
        .where(
            earlier.conversation_id == row.conversation_id,
            is_in(earlier.state, *OPEN),
            or_(earlier.turn_seq < row.turn_seq, and_(together, earlier.id < row.id)),
        )
        .correlate(row)
    )
    return and_(is_in(row.state, OutboxState.PENDING), row.not_before <= func.now(), ~blocking.exists())


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
            OutboxRow.conversation_id == bindparam("conversation", type_=Uuid),
            OutboxRow.state == OutboxState.PENDING,
            Conversation.id == OutboxRow.conversation_id,
        )
        .values(state=OutboxState.DELIVERED, attempts=OutboxRow.attempts + 1, settled_at=func.now())
        .returning(*OutboxRow.__table__.columns, *_CHAT)
    )


async def add(connection: AsyncConnection, rows: list[dict[str, Any]]) -> None:
    """Rows {"conversation_id", "kind", "payload", "dedupe_key"}; one whose key is there already is not written."""
    if rows:
        await connection.execute(upsert(OutboxRow).on_conflict_do_nothing(index_elements=["dedupe_key"]), rows)


async def files(database: Database, turn_id: uuid.UUID) -> frozenset[str]:
    """The names of the files that rows of the turn send, whatever became of them."""
    columns = [OutboxRow.payload[name].astext for name in ("path", "thumbnail")]
    async with database.begin() as connection:
        rows = await connection.execute(select(*columns).where(OutboxRow.turn_id == turn_id))
    return frozenset(name for row in rows for name in row if name is not None)


async def claim(database: Database, conversation_id: uuid.UUID, owner: str, lease_s: float) -> Mapping[str, Any] | None:
    """The conversation's next row, leased to `owner`; None where nothing may be sent now.

    With it the conversation's channel, account, external_chat_id, addresses, traits, is_group, reachable, and
    `window_closed`: by the database's clock the platform takes no more answers.
    """
    parameters = {"conversation": conversation_id, "owner": owner, "lease": timedelta(seconds=lease_s)}
    async with database.begin() as connection:
        claimed = (await connection.execute(_claim(), parameters)).mappings().one_or_none()
    return None if claimed is None else dict(claimed)


@cache
def _claim() -> Executable:
    row = aliased(OutboxRow, name="sendable")
    chosen = (
        select(row.id)
        .where(row.conversation_id == bindparam("conversation", type_=Uuid), sendable(row))
        .order_by(row.turn_seq.nulls_first(), row.id)
        .limit(at_most(1))
        .with_for_update(skip_locked=True)
        .scalar_subquery()
    )
    return (
        update(OutboxRow)
        .where(
            OutboxRow.id == chosen,
            OutboxRow.state == OutboxState.PENDING,
            Conversation.id == OutboxRow.conversation_id,
        )
        .values(
            state=OutboxState.SENDING,
            attempts=OutboxRow.attempts + 1,
            fence=OutboxRow.fence + 1,
            lease_owner=bindparam("owner"),
            lease_until=func.now() + bindparam("lease", type_=Interval),
        )
        .returning(
            *OutboxRow.__table__.columns,
            *_CHAT,
            Conversation.reachable,
            func.coalesce(Conversation.window_expires_at < func.now(), False).label("window_closed"),
        )
    )


async def renew(database: Database, row: Mapping[str, Any], lease_s: float) -> bool:
    """Renews the lease of a claimed row; False where it is nobody's or another's by now."""
    return await leases.renew(database, OutboxRow, _held(row), lease_s)


def _held(row: Mapping[str, Any]) -> ColumnElement[bool]:
    return and_(OutboxRow.id == row["id"], OutboxRow.fence == row["fence"], OutboxRow.state == OutboxState.SENDING)


async def settle(
    database: Database,
    row: Mapping[str, Any],
    verdict: Verdict,
    *,
    admins: Admins = (),
    text_length: int | None = None,
) -> Settled:
    """Writes what became of a claimed row, and what follows from it. Raises LeaseLost.

    admins: who is told of what is held. text_length: of one message, for a step down to text.
    """
    async with database.begin() as connection:
        if verdict.learned or verdict.state in (OutboxState.FAILED, OutboxState.HELD, OutboxState.UNKNOWN):
            await lock(connection, row["conversation_id"])
        held = await connection.execute(update(OutboxRow).where(_held(row)).values(_written(verdict)))
        if held.rowcount != 1:
            raise LeaseLost
        if verdict.state is OutboxState.PENDING and row["turn_id"] is not None:
            await hold_unwanted(connection, [row["id"]])
        if verdict.learned:
            await learn(connection, row["conversation_id"], verdict.learned)
        follows = await follow(connection, row, verdict.state, verdict.code, admins=admins, text_length=text_length)
        done = await _end(connection, row["conversation_id"], verdict.state)
    return Settled((dict(row),), done, tuple(follows.rings), tuple(follows.cancels))


async def _end(connection: AsyncConnection, conversation_id: uuid.UUID, state: OutboxState) -> dict[uuid.UUID, float]:
    return {} if state in OPEN else await end_delivered(connection, conversation_id)


def _written(verdict: Verdict) -> dict[str, Any]:
    values: dict[str, Any] = {
        "state": verdict.state,
        "external_id": verdict.external_id,
        "error": {"code": verdict.code} if verdict.code else None,
        "lease_owner": None,
        "lease_until": None,
        "settled_at": None if verdict.state in OPEN else func.now(),
        "not_before": func.now() + timedelta(seconds=verdict.delay_s),
    }
    if verdict.state in OPEN:
        # The name of an attempt that a status told of stays there.
        values["error"] = func.coalesce(OutboxRow.error, cast({}, JSONB)).op("||")(cast(values["error"] or {}, JSONB))
    if verdict.refund:
        values["attempts"] = OutboxRow.attempts - 1
    if verdict.repeat:
        values["payload"] = repeated()
    return values


def repeated() -> ColumnElement[Any]:
    """The payload, marked as a second attempt."""
    return OutboxRow.payload.op("||")(func.jsonb_build_object("repeated", True))


async def rest(database: Database, conversation_id: uuid.UUID) -> tuple[Settled, float | None]:
    """When nothing more may be sent now: ends turns whose rows were all closed before they were rendered, and says in
    how many seconds some row is due, None where none waits for its time."""
    later = select(func.min(OutboxRow.not_before) - func.clock_timestamp()).where(
        OutboxRow.conversation_id == conversation_id,
        OutboxRow.state == OutboxState.PENDING,
        OutboxRow.not_before > func.now(),
    )
    async with database.begin() as connection:
        settled = Settled((), await end_delivered(connection, conversation_id))
        due: timedelta | None = await connection.scalar(later)
    return settled, None if due is None else max(due.total_seconds(), 0.0)
