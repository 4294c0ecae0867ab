"""What became of one turn, for whoever looks after the service; never what anybody said."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Float, cast, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from db.models import Conversation, OutboxRow, Turn

_TOLD = (
    *(Turn.id, Turn.state, Turn.layer, Turn.attempts, Turn.error, Turn.steps, Turn.engines, Turn.timings_ms),
    *(Turn.superseded_by, Turn.merged_into, Turn.cancel_requested),
)


@dataclass(frozen=True)
class Letter:
    """row: the turn's columns that tell of it, its conversation's `channel` and `chat`, and `age_s`. parts: the kind
    and the state of each row of its outbox, in their order."""

    row: Mapping[str, Any]
    parts: list[tuple[str, str]]


async def read(connection: AsyncConnection, turn_id: uuid.UUID) -> Letter:
    """The turn is there."""
    age = cast(func.extract("epoch", func.now() - Turn.created_at), Float).label("age_s")
    found = await connection.execute(
        select(*_TOLD, age, Conversation.channel, Conversation.external_chat_id.label("chat"))
        .join(Conversation, Conversation.id == Turn.conversation_id)
        .where(Turn.id == turn_id)
    )
    parts = await connection.execute(
        select(OutboxRow.kind, OutboxRow.state).where(OutboxRow.turn_id == turn_id).order_by(OutboxRow.id)
    )
    return Letter(dict(found.mappings().one()), [(row.kind, row.state) for row in parts])
