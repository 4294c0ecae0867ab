"""How turns end: cancelled, superseded by a correction, or delivered.

Rows of the outbox are locked before the turn, as everybody locks them: two orders would be a deadlock.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import Executable, Uuid, bindparam, func, literal, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from core.states import OPEN, TRANSITIONS, OutboxState, TurnEvent, TurnState, sources
from db.models import OutboxRow, Turn
from db.sessions import Database


@dataclass(frozen=True)
class Corrected:
    """The turn whose message was edited, in the state in which the edit met it; changed: the text is another."""

    id: uuid.UUID
    state: TurnState
    changed: bool = True


async def cancel(database: Database, turn_id: uuid.UUID) -> TurnState | None:
    """The turn's state after it: cancelled, still running (the holder was asked), or as it was; None if unknown."""
    async with database.begin() as connection:
        return await cancel_within(connection, turn_id)


async def cancel_within(connection: AsyncConnection, turn_id: uuid.UUID) -> TurnState | None:
    """`cancel` in a transaction under way."""
    await lock_outbox(connection, turn_id)
    state = await connection.scalar(select(Turn.state).where(Turn.id == turn_id).with_for_update())
    if state is None:
        return None
    if state == TurnState.RUNNING:
        await connection.execute(update(Turn).where(Turn.id == turn_id).values(cancel_requested=True))
    elif TurnState(state) in sources(TurnEvent.CANCEL):
        state = TurnState.CANCELLED
        await connection.execute(
            update(Turn).where(Turn.id == turn_id).values(state=state, cancel_requested=True, ended_at=func.now())
        )
        await hold_unsent(connection, turn_id)
    return TurnState(state)


async def correct(
    connection: AsyncConnection, conversation_id: uuid.UUID, message_id: str, said: str, by: uuid.UUID
) -> Corrected | None:
    """The turn of a message that was edited is superseded by another, unless its answer is made or nothing changed.

    None where the message has no turn. A state of `running` means that its holder must be asked to stop.
    """
    row = await connection.execute(
        select(Turn.id, Turn.input_text)
        .where(Turn.conversation_id == conversation_id, Turn.message_id == message_id)
        .order_by(Turn.seq.desc())
        .limit(1)
    )
    found = row.one_or_none()
    if found is None:
        return None
    await lock_outbox(connection, found.id)
    locked = await connection.execute(select(Turn.state).where(Turn.id == found.id).with_for_update())
    state = TurnState(locked.scalar_one())
    if found.input_text == said:
        return Corrected(found.id, state, changed=False)
    await _supersede(connection, found.id, state, by)
    return Corrected(found.id, state)


async def _supersede(connection: AsyncConnection, turn_id: uuid.UUID, state: TurnState, by: uuid.UUID) -> None:
    if state is TurnState.RUNNING:
        values: dict[str, Any] = {"superseded_by": by, "cancel_requested": True}
    elif state in sources(TurnEvent.SUPERSEDE):
        values = {"superseded_by": by, "state": TurnState.SUPERSEDED, "ended_at": func.now()}
    else:
        return
    await connection.execute(update(Turn).where(Turn.id == turn_id).values(values))
    await hold_unsent(connection, turn_id)


async def lock_outbox(connection: AsyncConnection, turn_id: uuid.UUID) -> None:
    """Rows of the outbox before the turn, as the courier locks them: two orders would be a deadlock."""
    await connection.execute(select(OutboxRow.id).where(OutboxRow.turn_id == turn_id).with_for_update())


async def hold_unsent(connection: AsyncConnection, turn_id: uuid.UUID) -> None:
    """What a cancelled turn has not sent yet stays unsent."""
    await connection.execute(
        update(OutboxRow)
        .where(OutboxRow.turn_id == turn_id, OutboxRow.state == OutboxState.PENDING)
        .values(state=OutboxState.HELD, settled_at=func.now())
    )


async def end_delivered(connection: AsyncConnection, conversation_id: uuid.UUID) -> dict[uuid.UUID, float]:
    """Turns of the conversation that are rendered and have no open row are done; their seconds since intake."""
    done = await connection.execute(_end_delivered(), {"conversation": conversation_id})
    return {row.id: float(row.timings_ms["total"]) / 1000 for row in done}


@cache
def _end_delivered() -> Executable:
    still_open = select(literal(1)).where(OutboxRow.turn_id == Turn.id, OutboxRow.state.in_(OPEN))
    return (
        update(Turn)
        .where(
            Turn.conversation_id == bindparam("conversation", type_=Uuid),
            Turn.state.in_(sources(TurnEvent.DELIVER)),
            ~still_open.exists(),
        )
        .values(
            state=TRANSITIONS[TurnState.RENDERED, TurnEvent.DELIVER],
            ended_at=func.now(),
            timings_ms=Turn.timings_ms.op("||")(func.jsonb_build_object("total", _ms_since(Turn.created_at))),
        )
        .returning(Turn.id, Turn.timings_ms)
    )


def _ms_since(moment: Any) -> Any:
    return func.round(func.extract("epoch", func.clock_timestamp() - moment) * 1000)
