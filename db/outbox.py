"""What is asked of the outbox: deliver, claim, settle, release, recover, and what a platform's statuses say of it.

A row is sendable when no earlier turn of its conversation has an open row; rows of one turn go in the order in which
they were written. Rows without a turn (replies to commands) wait for one another, and for nobody else.

A row that the platform's window shut out is `held`. When the person writes again, what is held of the newest such turn
goes out, ahead of the new answer, if it was made within RELEASE_S: the person asked for it and has not seen it. Older
answers are stale, and so are replies to commands: they stay held.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Collection, Mapping
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
    case,
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

from core.errors import LeaseLost, WindowClosed
from core.states import OPEN, OutboxState, TurnState
from db.consequences import UNWANTED, Admins, follow, learn, lock
from db.models import Conversation, OutboxRow, Turn
from db.sessions import Database
from db.statuses import told
from db.turns import end_delivered

__all__ = ["Settled", "Verdict", "told"]

RELEASE_S = 24 * 3600.0
STATUS_S = 15.0
"""So long a platform that tells what became of a message has the word, before it is sent once more."""

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


def _sendable(row: type[OutboxRow]) -> ColumnElement[bool]:
    earlier = aliased(OutboxRow, name="earlier")
    together = earlier.turn_seq.is_not_distinct_from(row.turn_seq)
    blocking = (
        select(literal(1))
        .where(
            earlier.conversation_id == row.conversation_id,
            earlier.state.in_(OPEN),
            or_(earlier.turn_seq < row.turn_seq, and_(together, earlier.id < row.id)),
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
        .where(row.conversation_id == bindparam("conversation", type_=Uuid), _sendable(row))
        .order_by(row.turn_seq.nulls_first(), row.id)
        .limit(1)
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
        if verdict.learned or verdict.state in (OutboxState.FAILED, OutboxState.HELD):
            await lock(connection, row["conversation_id"])
        held = await connection.execute(
            update(OutboxRow)
            .where(OutboxRow.id == row["id"], OutboxRow.fence == row["fence"], OutboxRow.state == OutboxState.SENDING)
            .values(_written(verdict))
        )
        if held.rowcount != 1:
            raise LeaseLost
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
        values["payload"] = _repeated()
    return values


def _repeated() -> Any:
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


async def release(database: Database, conversation_id: uuid.UUID) -> int:
    """What is held of the newest turn that the window shut out may be sent again, where it is open now; how many.

    What is held of older ones is marked as stale, so that it never goes out after a newer answer.
    """
    async with database.begin() as connection:
        if await connection.scalar(_newest_held(), {"conversation": conversation_id}) is None:
            return 0
        await lock(connection, conversation_id)
        turn_id = await connection.scalar(_newest_held(), {"conversation": conversation_id})
        if turn_id is None:
            return 0
        older = select(Turn.id).where(Turn.conversation_id == conversation_id, Turn.id != turn_id)
        stale = cast({"code": WindowClosed.code, "stale": True}, JSONB)
        await connection.execute(update(OutboxRow).where(OutboxRow.turn_id.in_(older), _shut_out()).values(error=stale))
        done = await connection.execute(
            update(OutboxRow)
            .where(OutboxRow.turn_id == turn_id, _shut_out())
            .values(state=OutboxState.PENDING, error=None, settled_at=None, not_before=func.now())
        )
    return int(done.rowcount)


def _shut_out() -> ColumnElement[bool]:
    why = OutboxRow.error
    return and_(OutboxRow.state == OutboxState.HELD, why["code"].astext == WindowClosed.code, ~why.has_key("stale"))


@cache
def _newest_held() -> Executable:
    made = func.coalesce(Turn.ended_at, Turn.rendered_at, func.now())
    return (
        select(Turn.id)
        .join(OutboxRow, OutboxRow.turn_id == Turn.id)
        .join(Conversation, Conversation.id == Turn.conversation_id)
        .where(
            Turn.conversation_id == bindparam("conversation", type_=Uuid),
            Turn.state.not_in(UNWANTED),
            Conversation.window_expires_at > func.now(),
            made > func.now() - timedelta(seconds=RELEASE_S),
            _shut_out(),
        )
        .order_by(Turn.seq.desc())
        .limit(1)
    )


async def recover(
    database: Database, owner: str | None = None, tracked: Collection[str] = ()
) -> dict[uuid.UUID, float]:
    """Rows whose sender died inside the send call: sent once more, marked as a repetition; a second time `unknown`.

    owner: a dead process of this name, whose leases need not run out first. tracked: channels whose platform has
    STATUS_S to say what became of the first. The conversations, each with the seconds until it has something to send.
    """
    dead = OutboxRow.lease_until < func.now() if owner is None else OutboxRow.lease_owner == owner
    values = {"lease_owner": None, "lease_until": None}
    waits = OutboxRow.conversation_id.in_(select(Conversation.id).where(Conversation.channel.in_(tracked)))
    async with database.begin() as connection:
        again = await connection.execute(
            update(OutboxRow)
            .where(OutboxRow.state == OutboxState.SENDING, dead, ~OutboxRow.payload.has_key("repeated"))
            .values(
                state=OutboxState.PENDING,
                payload=_repeated(),
                not_before=case((waits, func.now() + timedelta(seconds=STATUS_S)), else_=func.now()),
                **values,
            )
            .returning(OutboxRow.conversation_id, (OutboxRow.not_before > func.now()).label("later"))
        )
        lost = await connection.execute(
            update(OutboxRow)
            .where(OutboxRow.state == OutboxState.SENDING, dead)
            .values(state=OutboxState.UNKNOWN, settled_at=func.now(), **values)
            .returning(OutboxRow.conversation_id)
        )
        found = {row.conversation_id: STATUS_S if row.later else 0.0 for row in again}
        return found | dict.fromkeys(lost.scalars(), 0.0)


async def undelivered(database: Database, *, without: Collection[str] = (), limit: int = 500) -> list[uuid.UUID]:
    """Conversations with something to send now, or with a rendered turn that nobody has ended yet, oldest first.

    without: channels on which nothing can be sent.
    """
    still_open = select(literal(1)).where(OutboxRow.turn_id == Turn.id, OutboxRow.state.in_(OPEN))
    rendered = select(Turn.conversation_id, Turn.rendered_at.label("since")).where(
        Turn.state == TurnState.RENDERED, ~still_open.exists()
    )
    row = aliased(OutboxRow, name="sendable")
    pending = select(row.conversation_id, row.not_before.label("since")).where(_sendable(row))
    waiting = rendered.union_all(pending).subquery()
    asked = (
        select(waiting.c.conversation_id)
        .join(Conversation, Conversation.id == waiting.c.conversation_id)
        .where(Conversation.channel.not_in(list(without)))
        .group_by(waiting.c.conversation_id)
        .order_by(func.min(waiting.c.since))
        .limit(limit)
    )
    async with database.begin() as connection:
        return list((await connection.execute(asked)).scalars())
