"""What is asked about media that a turn waits for: who fetches it, which wait, and the end of those that never come."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from sqlalchemy import func, insert, select, update

from core.states import TurnEvent, TurnState, sources
from db.models import Conversation, OutboxRow, Turn
from db.sessions import Database


async def claim(database: Database, turn_id: uuid.UUID, lease_s: float) -> Mapping[str, Any] | None:
    """The turn with its conversation's `channel` and `spoken` (its language), held for lease_s; None where it waits for
    nothing or somebody else is at it."""
    async with database.begin() as connection:
        row = await connection.execute(
            update(Turn)
            .where(
                Turn.id == turn_id,
                Turn.conversation_id == Conversation.id,
                Turn.state == TurnState.RECEIVED,
                Turn.not_before <= func.now(),
            )
            .values(not_before=func.now() + timedelta(seconds=lease_s), attempts=Turn.attempts + 1)
            .returning(
                *Turn.__table__.columns,
                Conversation.channel,
                func.coalesce(Conversation.language, Conversation.hint).label("spoken"),
            )
        )
        found = row.mappings().one_or_none()
    return None if found is None else dict(found)


async def waiting(database: Database, limit: int = 100) -> list[uuid.UUID]:
    """Turns whose media somebody should fetch now."""
    async with database.begin() as connection:
        rows = await connection.execute(
            select(Turn.id).where(Turn.state == TurnState.RECEIVED, Turn.not_before <= func.now()).limit(limit)
        )
        return list(rows.scalars())


async def again(database: Database, turn_id: uuid.UUID, delay_s: float, *, refund: bool = False) -> None:
    """Nobody holds it any more; after the delay it may be tried again. refund: this try does not count."""
    attempts = Turn.attempts - 1 if refund else Turn.attempts
    async with database.begin() as connection:
        await connection.execute(
            update(Turn)
            .where(Turn.id == turn_id, Turn.state == TurnState.RECEIVED)
            .values(not_before=func.now() + timedelta(seconds=delay_s), attempts=attempts)
        )


async def arrived(database: Database, turn_id: uuid.UUID, media: str) -> bool:
    """received → queued with the decoded voice note's name; False where the turn has ended meanwhile."""
    async with database.begin() as connection:
        done = await connection.execute(
            update(Turn)
            .where(Turn.id == turn_id, Turn.state.in_(sources(TurnEvent.MEDIA_READY)))
            .values(state=TurnState.QUEUED, input_media=media, queued_at=func.now(), not_before=func.now(), attempts=0)
        )
    return bool(done.rowcount)


async def failed(
    database: Database, turn: Mapping[str, Any], error: Mapping[str, Any], notice: Mapping[str, Any]
) -> bool:
    """The turn ends, and the person is told; False where it has ended meanwhile."""
    async with database.begin() as connection:
        done = await connection.execute(
            update(Turn)
            .where(Turn.id == turn["id"], Turn.state == TurnState.RECEIVED)
            .values(state=TurnState.FAILED, error=error, ended_at=func.now())
        )
        if done.rowcount:
            await connection.execute(
                insert(OutboxRow).values(
                    conversation_id=turn["conversation_id"],
                    turn_id=turn["id"],
                    turn_seq=turn["seq"],
                    kind="notice",
                    payload=notice,
                    reply_to=turn["message_id"],
                    dedupe_key=f"{turn['id']}:notice:0",
                )
            )
    return bool(done.rowcount)
