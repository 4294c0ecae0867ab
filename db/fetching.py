"""What is asked about media that a turn waits for: who fetches it, which wait, and the end of those that never come."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, func, insert, or_, select, update

from core.states import TRANSITIONS, TurnEvent, TurnState
from db import leases
from db.models import Conversation, OutboxRow, Turn
from db.sessions import Database

_FREE: dict[str, Any] = {"lease_owner": None, "lease_until": None}


async def claim(database: Database, turn_id: uuid.UUID, owner: str, lease_s: float) -> Mapping[str, Any] | None:
    """The turn with its conversation's `channel` and `spoken` (its language), leased to `owner`; None where it waits
    for nothing or somebody else is at it."""
    async with database.begin() as connection:
        row = await connection.execute(
            update(Turn)
            .where(
                Turn.id == turn_id,
                Turn.conversation_id == Conversation.id,
                _waits(),
            )
            .values(
                lease_owner=owner,
                lease_until=func.now() + timedelta(seconds=lease_s),
                fence=Turn.fence + 1,
                attempts=Turn.attempts + 1,
            )
            .returning(
                *Turn.__table__.columns,
                Conversation.channel,
                func.coalesce(Conversation.language, Conversation.hint).label("spoken"),
            )
        )
        found = row.mappings().one_or_none()
    return None if found is None else dict(found)


def _waits() -> ColumnElement[bool]:
    """Its media may be fetched now, and nobody is at it."""
    free = or_(Turn.lease_until.is_(None), Turn.lease_until < func.now())
    return and_(Turn.state == TurnState.RECEIVED, Turn.not_before <= func.now(), free)


def _held(turn: Mapping[str, Any]) -> ColumnElement[bool]:
    return and_(Turn.id == turn["id"], Turn.fence == turn["fence"], Turn.state == TurnState.RECEIVED)


async def renew(database: Database, turn: Mapping[str, Any], lease_s: float) -> bool:
    """Renews the lease; False where the turn is another's, or waits no more."""
    return await leases.renew(database, Turn, _held(turn), lease_s)


async def take_back(database: Database, owner: str) -> None:
    """What a dead process of the same name was fetching is nobody's at once."""
    async with database.begin() as connection:
        await connection.execute(
            update(Turn).where(Turn.state == TurnState.RECEIVED, Turn.lease_owner == owner).values(_FREE)
        )


async def waiting(database: Database, limit: int = 100) -> list[uuid.UUID]:
    """Turns whose media somebody should fetch now."""
    async with database.begin() as connection:
        rows = await connection.execute(select(Turn.id).where(_waits()).order_by(Turn.not_before).limit(limit))
        return list(rows.scalars())


async def again(database: Database, turn: Mapping[str, Any], delay_s: float, *, refund: bool = False) -> None:
    """Nobody holds it any more; after the delay it may be tried again. refund: this try does not count."""
    attempts = Turn.attempts - 1 if refund else Turn.attempts
    async with database.begin() as connection:
        await connection.execute(
            update(Turn)
            .where(_held(turn))
            .values(not_before=func.now() + timedelta(seconds=delay_s), attempts=attempts, **_FREE)
        )


async def arrived(database: Database, turn: Mapping[str, Any], media: str) -> bool:
    """received → queued with the decoded voice note's name; False where the turn has ended, or is another's by now."""
    async with database.begin() as connection:
        done = await connection.execute(
            update(Turn)
            .where(_held(turn))
            .values(
                state=TRANSITIONS[TurnState.RECEIVED, TurnEvent.MEDIA_READY],
                input_media=media,
                queued_at=func.now(),
                not_before=func.now(),
                attempts=0,
                **_FREE,
            )
        )
    return bool(done.rowcount)


async def failed(
    database: Database, turn: Mapping[str, Any], error: Mapping[str, Any], notice: Mapping[str, Any]
) -> bool:
    """The turn ends, and the person is told; False where it has ended meanwhile."""
    async with database.begin() as connection:
        done = await connection.execute(
            update(Turn).where(_held(turn)).values(state=TurnState.FAILED, error=error, ended_at=func.now(), **_FREE)
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
