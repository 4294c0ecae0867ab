"""How turns end: cancelled, superseded by a correction, or delivered.

Rows of the outbox are locked before the turn, as everybody locks them: two orders would be a deadlock.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import Executable, Uuid, bindparam, func, literal, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from core.errors import TextInvalid
from core.messages import MAX_TEXT
from core.states import OPEN, TRANSITIONS, OutboxState, TurnEvent, TurnState, sources
from db.models import OutboxRow, Turn
from db.parts import Parts, Words
from db.sessions import Database
from db.written import is_in


@dataclass(frozen=True)
class Corrected:
    """The turn whose message was edited, in the state in which the edit met it; changed: the text is another.

    words: of the turn that takes its place; other messages' are among them where the turn answers several.
    """

    id: uuid.UUID
    state: TurnState
    changed: bool = True
    words: Words | None = None


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
        await hold_unsent(connection, turn_id)
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

    None where the message has no turn. A state of `running` means that its holder must be asked to stop. Raises
    TextInvalid where the words of all messages that the turn answers are too many.
    """
    found = await _answering(connection, conversation_id, message_id)
    if found is None:
        return None
    await lock_outbox(connection, found["id"])
    locked = await connection.execute(select(Turn.state).where(Turn.id == found["id"]).with_for_update())
    state = TurnState(locked.scalar_one())
    before = _parts(found, message_id)
    if before.words_of(message_id) == said:
        return Corrected(found["id"], state, changed=False)
    after = before.corrected(message_id, said)
    if len(after.text) > MAX_TEXT:
        raise TextInvalid("together the texts are too long", message_id="error-text-long")
    replaces = await _supersede(connection, found["id"], state, by)
    gathered = {"parts": after.named} if len(after.lines) > 1 else None
    return Corrected(found["id"], state, words=Words({"input_text": after.text, "gathered": gathered}, replaces))


async def _answering(
    connection: AsyncConnection, conversation_id: uuid.UUID, message_id: str
) -> Mapping[str, Any] | None:
    """The turn that answers a message: the newest of its own, or that into which this was merged."""
    turn = select(Turn.id, Turn.input_text, Turn.gathered, Turn.merged_into, Turn.superseded_by)
    of_message = turn.where(Turn.conversation_id == conversation_id, Turn.message_id == message_id)
    found = (await connection.execute(of_message.order_by(Turn.seq.desc()).limit(1))).mappings().one_or_none()
    while found is not None and (other := found["merged_into"] or found["superseded_by"]) is not None:
        row = (await connection.execute(turn.where(Turn.id == other))).mappings().one_or_none()
        if row is None:
            break
        found = row
    return None if found is None else dict(found)


def _parts(turn: Mapping[str, Any], message_id: str) -> Parts:
    """The turn's words; all of them are that message's where nothing else is said of them."""
    parts = Parts.read(turn["input_text"] or "", (turn["gathered"] or {}).get("parts", ()))
    return Parts.of(message_id, turn["input_text"] or "") if parts.words_of(message_id) is None else parts


async def _supersede(connection: AsyncConnection, turn_id: uuid.UUID, state: TurnState, by: uuid.UUID) -> bool:
    """Whether it had not ended."""
    if state is TurnState.RUNNING:
        values: dict[str, Any] = {"superseded_by": by, "cancel_requested": True}
    elif state in sources(TurnEvent.SUPERSEDE):
        values = {"superseded_by": by, "state": TurnState.SUPERSEDED, "ended_at": func.now()}
    else:
        return False
    await connection.execute(update(Turn).where(Turn.id == turn_id).values(values))
    await hold_unsent(connection, turn_id)
    return True


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


UNWANTED = (TurnState.CANCELLED, TurnState.SUPERSEDED, TurnState.MERGED)
"""Nobody waits for the answers of these."""


async def hold_unwanted(connection: AsyncConnection, rows: Collection[int]) -> None:
    """Rows that would go out once more stay unsent where their turn was to stop while they were sent. This transaction
    has written the rows already: a cancel that comes later finds them."""
    unwanted = select(Turn.id).where(or_(Turn.cancel_requested, Turn.state.in_(UNWANTED)))
    await connection.execute(
        update(OutboxRow)
        .where(OutboxRow.id.in_(rows), OutboxRow.state == OutboxState.PENDING, OutboxRow.turn_id.in_(unwanted))
        .values(state=OutboxState.HELD, settled_at=func.now())
    )


async def end_delivered(connection: AsyncConnection, conversation_id: uuid.UUID) -> dict[uuid.UUID, float]:
    """Turns of the conversation that are rendered and have no open row are done; their seconds since intake."""
    done = await connection.execute(_end_delivered(), {"conversation": conversation_id})
    return {row.id: float(row.timings_ms["total"]) / 1000 for row in done}


@cache
def _end_delivered() -> Executable:
    still_open = select(literal(1)).where(OutboxRow.turn_id == Turn.id, is_in(OutboxRow.state, *OPEN))
    return (
        update(Turn)
        .where(
            Turn.conversation_id == bindparam("conversation", type_=Uuid),
            is_in(Turn.state, *sources(TurnEvent.DELIVER)),
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
