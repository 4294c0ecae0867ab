"""What administrators ask about turns: figures, the queue, one turn by its short id, the same message again."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Float,
    Integer,
    Select,
    and_,
    case,
    cast,
    func,
    insert,
    literal,
    or_,
    select,
    union_all,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from core.states import TurnState
from db import limits
from db.models import Contact, Conversation, Task, Turn
from db.views import on_their_way

SHORT = 8
"""Hexadecimal digits by which people name a turn: with 10,000 open ones, two share them once in 86 times."""
COUNTED = 1000
"""Failed turns are counted up to so many: nobody turns so many pages."""


def midnight() -> datetime:
    """When today began, UTC."""
    return datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


async def states(connection: AsyncConnection) -> dict[str, int]:
    """How many turns are in each state, of those that have ended the ones of today (UTC); none: left out."""
    now = or_(on_their_way(), Turn.ended_at >= midnight())
    rows = await connection.execute(select(Turn.state, func.count()).where(now).group_by(Turn.state))
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
        ).where(Turn.created_at >= midnight(), or_(on_their_way(), Turn.ended_at >= midnight()))
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


def _failed() -> ColumnElement[bool]:
    """Failed turns whose message was asked again are no longer in the list."""
    return and_(Turn.state == TurnState.FAILED, Turn.superseded_by.is_(None))


async def queue_length(connection: AsyncConnection) -> int:
    """Open turns, and failed ones up to COUNTED."""
    failed = select(literal(1)).where(_failed()).limit(COUNTED).subquery()
    both = (select(func.count()).where(on_their_way()), select(func.count()).select_from(failed))
    return sum([int(await connection.scalar(each) or 0) for each in both])


async def queue(connection: AsyncConnection, limit: int, offset: int = 0) -> Sequence[Mapping[str, Any]]:
    """Open turns, oldest first, then failed ones, newest first: {"id", "state", "layer", "age_s", "code", "channel",
    "chat"}; never what anybody said."""
    most = limit + offset
    opened = _told(on_their_way(), failed=False).order_by(Turn.created_at, Turn.id).limit(most)
    failed = _told(_failed(), failed=True).order_by(Turn.created_at.desc(), Turn.id).limit(most)
    told = union_all(opened, failed).subquery()
    age, last = told.c.age_s, told.c.failed
    asked = select(*(column for column in told.c if column is not last))
    in_order = asked.order_by(last, case((last, age), else_=-age), told.c.id).limit(limit).offset(offset)
    return [dict(row) for row in (await connection.execute(in_order)).mappings()]


def _told(which: ColumnElement[bool], *, failed: bool) -> Select[Any]:
    return (
        select(
            Turn.id,
            Turn.state,
            Turn.layer,
            cast(func.extract("epoch", func.now() - Turn.created_at), Float).label("age_s"),
            Turn.error["code"].astext.label("code"),
            Conversation.channel,
            Conversation.external_chat_id.label("chat"),
            literal(failed).label("failed"),
        )
        .join(Conversation, Conversation.id == Turn.conversation_id)
        .where(which)
    )


async def waiting(connection: AsyncConnection, limit: int) -> list[uuid.UUID]:
    """The first turns in the queue."""
    queued = select(Turn.id).where(Turn.state == TurnState.QUEUED).order_by(Turn.fair_at).limit(limit)
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
    place = await limits.place(connection, turn["conversation_id"])
    assert place is not None, "the turn keeps its conversation"
    marked = await connection.execute(
        update(Turn).where(Turn.id == turn["id"], _failed(), _same_media(turn)).values(superseded_by=new)
    )
    if marked.rowcount != 1:
        return None
    kept = ("conversation_id", "message_id", "avatar", "voice", "language", "modes", "emotion_enabled", "gathered")
    values = {"id": new, "seq": place.seq, "fair_at": place.fair_at, **{name: turn[name] for name in kept}, **columns}
    await connection.execute(insert(Turn).values(values))
    return new


def _same_media(turn: Mapping[str, Any]) -> ColumnElement[bool]:
    """A recording that went meanwhile is none that a new turn could use."""
    return Turn.media_removed_at.is_not_distinct_from(turn["media_removed_at"])


async def task(connection: AsyncConnection, number: int, kinds: Sequence[str]) -> Mapping[str, Any] | None:
    """The task's row, where it is one of these kinds."""
    row = await connection.execute(select(*Task.__table__.columns).where(Task.id == number, Task.kind.in_(kinds)))
    found = row.mappings().one_or_none()
    return None if found is None else dict(found)
