"""A turn whose answer is given before it starts: it is only spoken and drawn, as a preview."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from sqlalchemy import func, insert
from sqlalchemy.ext.asyncio import AsyncConnection

from core.kinds import Layer, Mode
from core.states import TurnState
from db import limits
from db.models import LayerOutput, OutboxRow, Turn
from db.turns import outbox_rows


async def add(
    connection: AsyncConnection,
    conversation_id: uuid.UUID,
    *,
    text: str,
    language: str,
    avatar: str,
    voice: str | None = None,
    modes: Sequence[Mode] = (Mode.TEXT, Mode.VIDEO),
) -> uuid.UUID | None:
    """The turn, queued at the end of its conversation; None where that is gone. Ring for both workers.

    The language model's output is saved with it, so every attempt starts at speech; the text goes out at once, since
    it is the layer that was skipped which would have sent it.
    """
    place = await limits.place(connection, conversation_id)
    if place is None:
        return None
    turn = {
        "id": uuid.uuid4(),
        "conversation_id": conversation_id,
        "seq": place.seq,
        "fair_at": place.fair_at,
        "state": TurnState.QUEUED,
        "avatar": avatar,
        "voice": voice,
        "language": language,
        "modes": [mode.value for mode in modes],
        "answer": text,
        "answer_language": language,
        "queued_at": func.now(),
        "message_id": None,
    }
    said = {"text": text, "language": language}
    output = {"turn_id": turn["id"], "layer": Layer.LLM, "part": 0, "fence": 0, "data": said}
    await connection.execute(insert(Turn).values(turn))
    await connection.execute(insert(LayerOutput).values(output))
    if Mode.TEXT in modes:
        await connection.execute(insert(OutboxRow), outbox_rows(turn, [{"kind": "text", "payload": said}]))
    return uuid.UUID(str(turn["id"]))
