"""What is asked about people who wait: which turns are open, how long it will take, whether they were told."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Mapping
from typing import Any

from sqlalchemy import Select, case, func, literal, or_, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.dialects.postgresql import insert as upsert

from core.states import OPEN, TurnState
from db.models import Conversation, OutboxRow, Turn
from db.sessions import Database
from db.views import queue_position

MOST = 100
"""Conversations that are looked after at once: a sign every few seconds for more would use up what a platform takes."""


def told_key(turn_id: object) -> str:
    return f"{turn_id}:notice:wait"


async def waiting(database: Database, channels: Collection[str]) -> list[Mapping[str, Any]]:
    """The oldest open turn of each reachable conversation on these channels, with the conversation's address,
    `position` (0 while it runs), `age_s`, and `told`."""
    told = select(literal(1)).where(OutboxRow.dedupe_key == func.concat(Turn.id, ":notice:wait")).exists()
    question = (
        select(
            Turn.id,
            Turn.conversation_id,
            Turn.state,
            Turn.message_id,
            func.extract("epoch", func.now() - Turn.created_at).label("age_s"),
            func.extract("epoch", func.now() - Turn.started_at).label("running_s"),
            case((told, None), else_=queue_position()).label("position"),
            told.label("told"),
            Conversation.channel,
            Conversation.account,
            Conversation.external_chat_id,
            Conversation.addresses,
            Conversation.traits,
            Conversation.is_group,
            func.coalesce(Conversation.language, Conversation.hint).label("spoken"),
        )
        .join(Conversation, Conversation.id == Turn.conversation_id)
        .where(Turn.id.in_(_first_of_each(channels)))
    )
    async with database.begin() as connection:
        return [dict(row) for row in (await connection.execute(question)).mappings()]


def _first_of_each(channels: Collection[str]) -> Select[uuid.UUID]:
    """The oldest open turn of each conversation; of these the MOST that have waited longest."""
    unsent = select(literal(1)).where(OutboxRow.turn_id == Turn.id, OutboxRow.state.in_(OPEN))
    busy = Turn.state.in_((TurnState.RECEIVED, TurnState.QUEUED, TurnState.RUNNING))
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
                dedupe_key=told_key(turn["id"]),
            )
            .on_conflict_do_nothing(index_elements=["dedupe_key"])
            .returning(OutboxRow.id)
        )
        return added.scalar_one_or_none() is not None
