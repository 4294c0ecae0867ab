"""What administrators ask about turns: figures, the queue, one turn by its short id, the same message again."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Float, Integer, case, cast, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from core.states import BEFORE_RENDERED, TurnState
from db.models import Contact, Conversation, Task, Turn

SHORT = 8
"""Hexadecimal digits by which people name a turn: with 10,000 open ones, two share them once in 86 times."""
OPEN = (*BEFORE_RENDERED, TurnState.RENDERED)


def midnight() -> datetime:
    """When today began, UTC."""
    return datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


async def states(connection: AsyncConnection) -> dict[str, int]:
    """How many turns are in each state, those in none left out."""
    rows = await connection.execute(select(Turn.state, func.count()).group_by(Turn.state))
    return {str(state): int(count) for state, count in rows}


async def today(connection: AsyncConnection) -> Mapping[str, Any]:
    """{"turns", "video_s", "median_s", "worst_s"} since midnight UTC; the waits are those from message to last part,
    None before the first answer."""
    wait = cast(func.extract("epoch", Turn.ended_at - Turn.created_at), Float)
    done = Turn.state == TurnState.DONE
    row = await connection.execute(
        select(
            func.count().label("turns"),
            func.coalesce(func.sum(cast(Turn.video["seconds"].astext, Float)), 0.0).label("video_s"),
            func.percentile_cont(0.5).within_group(case((done, wait))).label("median_s"),
            func.max(case((done, wait))).label("worst_s"),
        ).where(Turn.created_at >= midnight())
    )
    return dict(row.mappings().one())


async def failures(connection: AsyncConnection) -> dict[str, int]:
    """Turns that failed today by the error's code, the most frequent first."""
    code = func.coalesce(Turn.error["code"].astext, "unknown")
    rows = await connection.execute(
        select(code, func.count())
        .where(Turn.state == TurnState.FAILED, Turn.ended_at >= midnight())
        .group_by(code)
        .order_by(func.count().desc(), code)
    )
    return {str(name): int(count) for name, count in rows}


async def people(connection: AsyncConnection) -> dict[str, Mapping[str, int]]:
    """By channel {"known", "today", "banned"}; a group counts as one."""
    seen, banned = Contact.last_seen_at >= midnight(), Contact.access == "banned"
    rows = await connection.execute(
        select(
            Contact.channel,
            func.count().label("known"),
            func.sum(cast(seen, Integer)).label("today"),
            func.count().filter(banned).label("banned"),
        )
        .group_by(Contact.channel)
        .order_by(Contact.channel)
    )
    return {row["channel"]: {name: int(row[name]) for name in ("known", "today", "banned")} for row in rows.mappings()}


def _listed() -> Any:
    """Failed turns whose message was asked again are no longer in the list."""
    return or_(Turn.state.in_(OPEN), (Turn.state == TurnState.FAILED) & Turn.superseded_by.is_(None))


async def queue_length(connection: AsyncConnection) -> int:
    return int(await connection.scalar(select(func.count()).where(_listed())) or 0)


async def queue(connection: AsyncConnection, limit: int, offset: int = 0) -> Sequence[Mapping[str, Any]]:
    """Open turns, oldest first, then failed ones, newest first: {"id", "state", "layer", "age_s", "code", "channel",
    "chat"}; never what anybody said."""
    failed = Turn.state == TurnState.FAILED
    age = func.extract("epoch", func.now() - Turn.created_at)
    rows = await connection.execute(
        select(
            Turn.id,
            Turn.state,
            Turn.layer,
            cast(age, Float).label("age_s"),
            Turn.error["code"].astext.label("code"),
            Conversation.channel,
            Conversation.external_chat_id.label("chat"),
        )
        .join(Conversation, Conversation.id == Turn.conversation_id)
        .where(_listed())
        .order_by(case((failed, 1), else_=0), case((failed, age), else_=-age), Turn.id)
        .limit(limit)
        .offset(offset)
    )
    return [dict(row) for row in rows.mappings()]


async def waiting(connection: AsyncConnection, limit: int) -> list[uuid.UUID]:
    """The oldest turns in the queue."""
    queued = select(Turn.id).where(Turn.state == TurnState.QUEUED).order_by(Turn.queued_at).limit(limit)
    return list((await connection.execute(queued)).scalars())


def _bounds(prefix: str) -> tuple[uuid.UUID, uuid.UUID] | None:
    """The first and the last id that begin so; None where none can."""
    digits = prefix.strip().lower().replace("-", "")
    if not 4 <= len(digits) <= 32 or set(digits) - set("0123456789abcdef"):
        return None
    return uuid.UUID(digits.ljust(32, "0")), uuid.UUID(digits.ljust(32, "f"))


async def turns_named(connection: AsyncConnection, prefix: str) -> Sequence[Mapping[str, Any]]:
    """At most two turns whose id begins so, with their conversation's channel; prefix: at least four digits."""
    bounds = _bounds(prefix)
    if bounds is None:
        return []
    rows = await connection.execute(
        select(*Turn.__table__.columns, Conversation.channel)
        .join(Conversation, Conversation.id == Turn.conversation_id)
        .where(Turn.id.between(*bounds))
        .limit(2)
    )
    return [dict(row) for row in rows.mappings()]


async def conversations_named(connection: AsyncConnection, prefix: str) -> list[uuid.UUID]:
    """At most two."""
    bounds = _bounds(prefix)
    if bounds is None:
        return []
    rows = await connection.execute(select(Conversation.id).where(Conversation.id.between(*bounds)).limit(2))
    return list(rows.scalars())


async def again(connection: AsyncConnection, turn: Mapping[str, Any], **columns: Any) -> uuid.UUID | None:
    """The failed turn's message as a new turn at the end of its conversation, the old one marked; None where somebody
    was faster, and then the transaction must not be committed. columns: state and input of the new one."""
    new = uuid.uuid4()
    # The conversation before the turn, as everybody locks them; a seq that nobody gets goes with the transaction.
    seq = await connection.scalar(
        update(Conversation)
        .where(Conversation.id == turn["conversation_id"])
        .values(last_seq=Conversation.last_seq + 1)
        .returning(Conversation.last_seq)
    )
    marked = await connection.execute(
        update(Turn)
        .where(Turn.id == turn["id"], Turn.state == TurnState.FAILED, Turn.superseded_by.is_(None))
        .values(superseded_by=new)
    )
    if marked.rowcount != 1:
        return None
    kept = ("conversation_id", "message_id", "avatar", "voice", "language", "modes", "emotion_enabled")
    values = {"id": new, "seq": seq, **{name: turn[name] for name in kept}, **columns}
    await connection.execute(insert(Turn).values(values))
    return new


async def task(connection: AsyncConnection, number: int, kinds: Sequence[str]) -> Mapping[str, Any] | None:
    """The task's row, where it is one of these kinds."""
    row = await connection.execute(select(*Task.__table__.columns).where(Task.id == number, Task.kind.in_(kinds)))
    found = row.mappings().one_or_none()
    return None if found is None else dict(found)
