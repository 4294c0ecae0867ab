"""What the outside may see of turns and conversations: plain dictionaries of the REST interface."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Float, ScalarSelect, and_, case, cast, func, or_, select
from sqlalchemy.orm import aliased

from core.states import TurnState
from db.models import Conversation, Turn
from db.sessions import Database

_INTERNAL = {"input_remote", "fence", "lease_owner", "lease_until", "not_before"}
_COLUMNS = [column for column in Turn.__table__.c if column.name not in _INTERNAL]


def _queue_position() -> ScalarSelect[Any]:
    """How many turns come before this one, the running ones among them."""
    ahead = aliased(Turn)
    return (
        select(func.count())
        .where(
            or_(
                ahead.state == TurnState.RUNNING,
                and_(ahead.state == TurnState.QUEUED, ahead.queued_at < Turn.queued_at),
            ),
            ahead.id != Turn.id,
        )
        .scalar_subquery()
    )


def _select() -> Any:
    position = case(
        (Turn.state == TurnState.RUNNING, 0), (Turn.state == TurnState.QUEUED, _queue_position() + 1), else_=None
    )
    return select(*_COLUMNS, position.label("queue_position"))


async def turn(database: Database, turn_id: uuid.UUID) -> Mapping[str, Any] | None:
    async with database.begin() as connection:
        row = (await connection.execute(_select().where(Turn.id == turn_id))).mappings().one_or_none()
    return None if row is None else dict(row)


async def conversation(
    database: Database, conversation_id: uuid.UUID, *, limit: int = 100
) -> tuple[Mapping[str, Any], list[Mapping[str, Any]]] | None:
    """The conversation's row and its newest turns, oldest first."""
    async with database.begin() as connection:
        found = await connection.execute(
            select(*Conversation.__table__.columns).where(Conversation.id == conversation_id)
        )
        row = found.mappings().one_or_none()
        if row is None:
            return None
        newest = _select().where(Turn.conversation_id == conversation_id).order_by(Turn.seq.desc()).limit(limit)
        turns = (await connection.execute(newest)).mappings().all()
    return dict(row), [dict(each) for each in reversed(turns)]


async def seconds_a_turn(database: Database) -> float | None:
    """The mean time from claim to rendered of the newest 20 turns, for the estimate of a wait."""
    newest = (
        select((func.extract("epoch", Turn.rendered_at) - func.extract("epoch", Turn.started_at)).label("seconds"))
        .where(Turn.rendered_at.is_not(None))
        .order_by(Turn.rendered_at.desc())
        .limit(20)
        .subquery()
    )
    async with database.begin() as connection:
        mean = await connection.scalar(select(cast(func.avg(newest.c.seconds), Float)))
    return None if mean is None else float(mean)


async def states(database: Database) -> dict[str, int]:
    """How many turns are on their way, by state: the queue's depth."""
    waiting = (TurnState.RECEIVED, TurnState.QUEUED, TurnState.RUNNING, TurnState.RENDERED)
    async with database.begin() as connection:
        rows = await connection.execute(
            select(Turn.state, func.count()).where(Turn.state.in_(waiting)).group_by(Turn.state)
        )
        counted = {str(state): int(count) for state, count in rows}
    return {state.value: counted.get(state.value, 0) for state in waiting}
