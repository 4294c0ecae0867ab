"""The row of a new turn."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from functools import cache
from typing import Any

from sqlalchemy import Boolean, ClauseElement, Text, bindparam, case, func, insert
from sqlalchemy.ext.asyncio import AsyncConnection

from core.kinds import Mode
from core.messages import Inbound
from core.states import TurnState
from db.limits import STEP, Place
from db.models import Turn
from db.switches import DEFAULT_AVATAR, chosen

ALL_MODES = [mode.value for mode in Mode]
_PLAIN = (
    *("id", "conversation_id", "seq", "state", "input_text", "input_media", "input_remote", "message_id"),
    *("voice", "language", "modes", "emotion_enabled", "steps", "fair_at"),
)


async def add(
    connection: AsyncConnection,
    inbound: Inbound,
    conversation: Mapping[str, Any],
    place: Place,
    turn_id: uuid.UUID,
    avatar: str,
    **columns: Any,
) -> None:
    """conversation: its row. avatar: for a conversation and a service that have not chosen one. columns: what differs
    from what the message says."""
    values = _values(inbound, conversation, place, turn_id, avatar)
    expressions = {name: value for name, value in columns.items() if isinstance(value, ClauseElement)}
    more = {name: value for name, value in columns.items() if name not in (*expressions, *_PLAIN)}
    statement = _add().values({**expressions, **more}) if expressions or more else _add()
    await connection.execute(statement, values | {name: columns[name] for name in columns if name in _PLAIN})


def _values(
    inbound: Inbound, conversation: Mapping[str, Any], place: Place, turn_id: uuid.UUID, avatar: str
) -> dict[str, Any]:
    ready = inbound.remote is None
    modes = conversation["modes"] or ALL_MODES
    return {
        "id": turn_id,
        "conversation_id": conversation["id"],
        "seq": place.seq,
        "state": TurnState.QUEUED if ready else TurnState.RECEIVED,
        "input_text": inbound.text,
        "input_media": inbound.media,
        "input_remote": inbound.remote,
        "message_id": inbound.message_id,
        "voice": conversation["voice"],
        "language": inbound.language or (conversation["language"] if conversation.get("language_chosen") else None),
        "modes": place.modes(modes),
        "steps": [STEP] if place.loses(modes) else [],
        "fair_at": place.fair_at,
        "emotion_enabled": conversation.get("emotion_enabled", True),
        "chosen_avatar": conversation["avatar"],
        "usual_avatar": avatar,
        "is_ready": ready,
    }


@cache
def _add() -> Any:
    """Built once: building takes longer than executing."""
    avatar = func.coalesce(
        bindparam("chosen_avatar", type_=Text), chosen(DEFAULT_AVATAR), bindparam("usual_avatar", type_=Text)
    )
    queued = case((bindparam("is_ready", type_=Boolean), func.now()))
    plain: dict[str, Any] = {name: bindparam(name) for name in _PLAIN}
    return insert(Turn).values({**plain, "avatar": avatar, "queued_at": queued})
