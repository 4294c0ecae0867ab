"""What is asked about people who wait: which turns are open, how long it will take, whether they were told."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Mapping
from datetime import timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, func, literal, or_, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.dialects.postgresql import insert as upsert

from core.states import OPEN, TurnState
from db.models import Conversation, OutboxRow, Turn
from db.sessions import Database
from db.switches import PAUSED, on
from db.turns import first_in_line

MOST = 100
"""Conversations that are looked after at once: a sign every few seconds for more would use up what a platform takes."""


KEY = ":notice:wait"
"""With the turn's id before it, the key of the notice in the outbox."""


async def watching(database: Database, channels: Collection[str]) -> list[Mapping[str, Any]]:
    """Who looks at a reachable chat on these channels and waits: the oldest open turn of each, with the chat's
    address. While rendering is paused nothing is being made of what is queued."""
    question = (
        select(
            Turn.conversation_id,
            Turn.state,
            Turn.message_id,
            Conversation.channel,
            Conversation.account,
            Conversation.external_chat_id,
            Conversation.addresses,
            Conversation.traits,
            Conversation.is_group,
        )
        .join(Conversation, Conversation.id == Turn.conversation_id)
        .where(Turn.id.in_(_first_of_each(channels)))
    )
    async with database.begin() as connection:
        return [dict(row) for row in (await connection.execute(question)).mappings()]


async def untold(database: Database, channels: Collection[str], settled_s: float) -> list[Mapping[str, Any]]:
    """Turns that are next in their conversation, are settled_s old, and of whose wait nobody was told: `place` (turns
    before it in all), `running_s`, and `spoken` (the chat's language). Nobody knows how long a pause takes: while
    rendering is paused only those that run."""
    line = (
        select(Turn.id, (func.row_number().over(order_by=Turn.fair_at) - 1).label("before"))
        .where(Turn.state == TurnState.QUEUED)
        .subquery()
    )
    running = select(func.count()).where(Turn.state == TurnState.RUNNING).correlate(None).scalar_subquery()
    told = select(literal(1)).where(OutboxRow.dedupe_key == func.concat(Turn.id, KEY))
    question = (
        select(
            Turn.id,
            Turn.conversation_id,
            Turn.state,
            func.coalesce(line.c.before + running, 0).label("place"),
            func.extract("epoch", func.now() - Turn.started_at).label("running_s"),
            func.coalesce(Conversation.language, Conversation.hint).label("spoken"),
        )
        .join(Conversation, Conversation.id == Turn.conversation_id)
        .outerjoin(line, line.c.id == Turn.id)
        .where(
            Turn.state.in_((TurnState.QUEUED, TurnState.RUNNING)) & _goes_on(),
            Turn.created_at < func.now() - timedelta(seconds=settled_s),
            Conversation.channel.in_(channels),
            Conversation.reachable,
            first_in_line(Turn),
            ~told.exists(),
        )
        .order_by(Turn.created_at)
        .limit(MOST)
    )
    async with database.begin() as connection:
        return [dict(row) for row in (await connection.execute(question)).mappings()]


def _first_of_each(channels: Collection[str]) -> Select[uuid.UUID]:
    """The oldest open turn of each conversation; of these the MOST that have waited longest."""
    unsent = select(literal(1)).where(OutboxRow.turn_id == Turn.id, OutboxRow.state.in_(OPEN))
    busy = Turn.state.in_((TurnState.RECEIVED, TurnState.QUEUED, TurnState.RUNNING)) & _goes_on()
    first = (
        select(Turn.id, Turn.created_at)
        .join(Conversation, Conversation.id == Turn.conversation_id)
        .where(
            Conversation.channel.in_(channels),
            Conversation.reachable,
            or_(busy, (Turn.state == TurnState.RENDERED) & unsent.exists()),
        )
        .ext(distinct_on(Turn.conversation_id))
        .order_by(Turn.conversation_id, Turn.seq)
        .subquery()
    )
    return select(first.c.id).order_by(first.c.created_at).limit(MOST)


def _goes_on() -> ColumnElement[bool]:
    """Of an open turn: it runs, or nothing keeps it from being claimed."""
    return or_(Turn.state == TurnState.RUNNING, ~on(PAUSED))


async def tell(database: Database, turn: Mapping[str, Any], payload: Mapping[str, Any]) -> bool:
    """A notice about the wait, once a turn and ahead of everything else; False where it was told before."""
    async with database.begin() as connection:
        added = await connection.execute(
            upsert(OutboxRow)
            .values(
                conversation_id=turn["conversation_id"],
                turn_id=turn["id"],
                kind="notice",
                payload=payload,
                dedupe_key=f"{turn['id']}{KEY}",
            )
            .on_conflict_do_nothing(index_elements=["dedupe_key"])
            .returning(OutboxRow.id)
        )
        return added.scalar_one_or_none() is not None
