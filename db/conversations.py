"""What is asked of a conversation by the person who holds it: its choices, its memory, its open turns."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from core.states import OutboxState, TurnEvent, TurnState, sources
from db.models import Conversation, Message, OutboxRow, Turn

CANCELLABLE = sources(TurnEvent.CANCEL)


@dataclass(frozen=True)
class Stopped:
    """Turns that were cancelled, and those whose holder must be asked to stop."""

    ended: list[uuid.UUID] = field(default_factory=list)
    running: list[uuid.UUID] = field(default_factory=list)

    @property
    def count(self) -> int:
        return len(self.ended) + len(self.running)


async def choose(connection: AsyncConnection, conversation_id: uuid.UUID, **columns: Any) -> None:
    """columns: avatar, voice, language, language_chosen, modes, emotion_enabled, pending."""
    await connection.execute(update(Conversation).where(Conversation.id == conversation_id).values(columns))


async def forget_history(connection: AsyncConnection, conversation_id: uuid.UUID) -> int:
    """Removes what the language model reads; how many messages it was."""
    done = await connection.execute(delete(Message).where(Message.conversation_id == conversation_id))
    return int(done.rowcount)


async def cancel_open(connection: AsyncConnection, conversation_id: uuid.UUID) -> Stopped:
    """Cancels every turn that is not done: one that runs is asked to stop, and of none anything more is sent."""
    open_turns = select(Turn.id).where(Turn.conversation_id == conversation_id, Turn.state.in_(CANCELLABLE))
    # Rows of the outbox before the turns, as the courier locks them: two orders would be a deadlock.
    rows = select(OutboxRow.id).where(OutboxRow.turn_id.in_(open_turns.scalar_subquery()))
    await connection.execute(rows.order_by(OutboxRow.id).with_for_update())
    locked = await connection.execute(open_turns.add_columns(Turn.state).order_by(Turn.seq).with_for_update())
    stopped = Stopped()
    for turn_id, state in locked:
        (stopped.running if state == TurnState.RUNNING else stopped.ended).append(turn_id)
    await _cancel(connection, stopped)
    return stopped


async def _cancel(connection: AsyncConnection, stopped: Stopped) -> None:
    if stopped.running:
        await connection.execute(update(Turn).where(Turn.id.in_(stopped.running)).values(cancel_requested=True))
    if stopped.ended:
        ended = {"state": TurnState.CANCELLED, "cancel_requested": True, "ended_at": func.now()}
        await connection.execute(update(Turn).where(Turn.id.in_(stopped.ended)).values(ended))
    await connection.execute(
        update(OutboxRow)
        .where(OutboxRow.turn_id.in_(stopped.ended + stopped.running), OutboxRow.state == OutboxState.PENDING)
        .values(state=OutboxState.HELD, settled_at=func.now())
    )
