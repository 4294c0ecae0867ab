"""One inbound message: inbox event, conversation and turn in one transaction, once."""

from __future__ import annotations

import uuid
from typing import Any

from sqlalchemy import func, insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from core.errors import Conflict, NotFound
from core.kinds import Mode
from core.messages import Accepted, Inbound
from core.states import TurnState
from db.models import Contact, Conversation, Inbox, Turn
from db.sessions import Database

ALL_MODES = [mode.value for mode in Mode]


class _KnownEvent(Exception):
    """Rolls the transaction back: the event is in the inbox already."""


async def accept(database: Database, inbound: Inbound, *, avatar: str) -> Accepted:
    """avatar: for conversations that have not chosen one. Raises NotFound, Conflict, DatabaseUnavailable."""
    try:
        async with database.begin() as connection:
            conversation = await _conversation(connection, inbound)
            turn_id = uuid.uuid4()
            await _remember(connection, inbound, conversation["id"], turn_id)
            await connection.execute(insert(Turn).values(_turn(inbound, conversation, turn_id, avatar)))
            return Accepted(str(turn_id), str(conversation["id"]))
    except _KnownEvent:
        return await _known(database, inbound)


async def _conversation(connection: AsyncConnection, inbound: Inbound) -> Any:
    """Locks the conversation's row and gives out the next seq."""
    if inbound.conversation_id is None and inbound.channel != "web":
        await _ensure_conversation(connection, inbound)
    elif inbound.conversation_id is None:
        return await _new_conversation(connection, inbound)
    known = (
        Conversation.id == _uuid(inbound.conversation_id)
        if inbound.conversation_id is not None
        else Conversation.external_chat_id == inbound.chat_id
    )
    chosen = {name: value for name, value in _choices(inbound).items() if value is not None}
    row = await connection.execute(
        update(Conversation)
        .where(known, Conversation.channel == inbound.channel, Conversation.account == inbound.account)
        .values(last_seq=Conversation.last_seq + 1, **chosen)
        .returning(*Conversation.__table__.columns)
    )
    found = row.mappings().one_or_none()
    if found is None:
        raise NotFound("no such conversation", message_id="error-no-conversation")
    return found


def _uuid(conversation_id: str) -> uuid.UUID:
    try:
        return uuid.UUID(conversation_id)
    except ValueError:
        raise NotFound("no such conversation", message_id="error-no-conversation") from None


def _choices(inbound: Inbound) -> dict[str, Any]:
    return {
        "avatar": inbound.avatar,
        "voice": inbound.voice,
        "language": inbound.language,
        "modes": list(inbound.modes) if inbound.modes else None,
    }


async def _new_conversation(connection: AsyncConnection, inbound: Inbound) -> Any:
    conversation = await _conversation_values(connection, inbound) | {"last_seq": 1}
    await connection.execute(insert(Conversation), conversation)
    return conversation


async def _ensure_conversation(connection: AsyncConnection, inbound: Inbound) -> None:
    values = await _conversation_values(connection, inbound)
    await connection.execute(
        upsert(Conversation)
        .values(values)
        .on_conflict_do_nothing(index_elements=["channel", "account", "external_chat_id"])
    )


async def _conversation_values(connection: AsyncConnection, inbound: Inbound) -> dict[str, Any]:
    return {
        "id": uuid.uuid4(),
        "contact_id": await _contact(connection, inbound),
        "channel": inbound.channel,
        "account": inbound.account,
        "external_chat_id": inbound.chat_id,
        **_choices(inbound),
    }


async def _contact(connection: AsyncConnection, inbound: Inbound) -> uuid.UUID | None:
    return await connection.scalar(
        upsert(Contact)
        .values(
            id=uuid.uuid4(),
            channel=inbound.channel,
            account=inbound.account,
            external_id=inbound.sender_id,
            display_name=inbound.display_name,
        )
        .on_conflict_do_update(index_elements=["channel", "account", "external_id"], set_={"last_seen_at": func.now()})
        .returning(Contact.id)
    )


async def _remember(
    connection: AsyncConnection, inbound: Inbound, conversation_id: uuid.UUID, turn_id: uuid.UUID
) -> None:
    added = await connection.execute(
        upsert(Inbox)
        .values(
            channel=inbound.channel,
            account=inbound.account,
            external_event_id=inbound.event_id,
            digest=inbound.digest,
            conversation_id=conversation_id,
            turn_id=turn_id,
            payload={"kind": "text" if inbound.text is not None else "voice"},
        )
        .on_conflict_do_nothing(index_elements=["channel", "account", "external_event_id"])
        .returning(Inbox.id)
    )
    if added.scalar_one_or_none() is None:
        raise _KnownEvent


def _turn(inbound: Inbound, conversation: Any, turn_id: uuid.UUID, avatar: str) -> dict[str, Any]:
    ready = inbound.remote is None
    return {
        "id": turn_id,
        "conversation_id": conversation["id"],
        "seq": conversation["last_seq"],
        "state": TurnState.QUEUED if ready else TurnState.RECEIVED,
        "input_text": inbound.text,
        "input_media": inbound.media,
        "input_remote": inbound.remote,
        "avatar": conversation["avatar"] or avatar,
        "voice": conversation["voice"],
        "language": inbound.language,
        "modes": conversation["modes"] or ALL_MODES,
        "emotion_enabled": conversation.get("emotion_enabled", True),
        "queued_at": func.now() if ready else None,
    }


async def _known(database: Database, inbound: Inbound) -> Accepted:
    async with database.begin() as connection:
        row = (
            await connection.execute(
                select(Inbox.turn_id, Inbox.conversation_id, Inbox.digest).where(
                    Inbox.channel == inbound.channel,
                    Inbox.account == inbound.account,
                    Inbox.external_event_id == inbound.event_id,
                )
            )
        ).one()
    if row.digest != inbound.digest:
        raise Conflict
    return Accepted(str(row.turn_id), str(row.conversation_id), duplicate=True)
