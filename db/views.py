"""What the outside may see of turns and conversations: plain dictionaries of the REST interface."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from sqlalchemy import ColumnElement, Float, case, cast, func, literal, or_, select
from sqlalchemy.orm import aliased

from core.states import BEFORE_RENDERED, TurnState
from db.models import Conversation, Turn
from db.sessions import Database
from db.switches import PAUSED, on

PAGE = "web"
"""The channel whose turns are shown over HTTP."""
FURTHEST = 1000
"""Whoever stands further back is told this place."""
_INTERNAL = {"input_remote", "gathered", "fence", "lease_owner", "lease_until", "not_before"}
_COLUMNS = [column for column in Turn.__table__.c if column.name not in _INTERNAL]


def _queue_position() -> ColumnElement[int]:
    """How many turns come before this one that is queued, the running ones among them; counted up to FURTHEST."""
    ahead, running = aliased(Turn), aliased(Turn)
    before = (
        select(literal(1))
        .where(ahead.state == TurnState.QUEUED, ahead.fair_at < Turn.fair_at)
        .correlate(Turn)
        .limit(FURTHEST)
        .subquery()
    )
    at_work = select(func.count()).where(running.state == TurnState.RUNNING).scalar_subquery()
    return select(func.count()).select_from(before).scalar_subquery() + at_work


def _select() -> Any:
    position = case(
        (Turn.state == TurnState.RUNNING, 0), (Turn.state == TurnState.QUEUED, _queue_position() + 1), else_=None
    )
    return select(*_COLUMNS, position.label("queue_position"), on(PAUSED).label("paused"))


def _of_a_page() -> ColumnElement[bool]:
    """What people say on other channels is none of the pages' business, even where an id of theirs is known."""
    return (
        select(Conversation.id)
        .where(Conversation.id == Turn.conversation_id, Conversation.channel == PAGE)
        .correlate(Turn)
        .exists()
    )


async def turn(database: Database, turn_id: uuid.UUID) -> Mapping[str, Any] | None:
    """None for one that no page began."""
    async with database.begin() as connection:
        found = await connection.execute(_select().where(Turn.id == turn_id, _of_a_page()))
        row = found.mappings().one_or_none()
    return None if row is None else dict(row)


async def conversation(
    database: Database, conversation_id: uuid.UUID, *, limit: int = 100
) -> tuple[Mapping[str, Any], list[Mapping[str, Any]]] | None:
    """The conversation's row and its newest turns, oldest first; None for one that no page began."""
    async with database.begin() as connection:
        found = await connection.execute(
            select(*Conversation.__table__.columns).where(
                Conversation.id == conversation_id, Conversation.channel == PAGE
            )
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


def on_their_way() -> ColumnElement[bool]:
    """Turns that have not ended. In two parts: an index holds those of each, none those of both."""
    return or_(Turn.state.in_(BEFORE_RENDERED), Turn.state == TurnState.RENDERED)


async def states(database: Database) -> dict[str, int]:
    """How many turns are on their way, by state: the queue's depth."""
    waiting = (*BEFORE_RENDERED, TurnState.RENDERED)
    async with database.begin() as connection:
        rows = await connection.execute(select(Turn.state, func.count()).where(on_their_way()).group_by(Turn.state))
        counted = {str(state): int(count) for state, count in rows}
    return {state.value: counted.get(state.value, 0) for state in waiting}
