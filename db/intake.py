"""One message of a page: inbox event, conversation and turn in one transaction, once."""

from __future__ import annotations

import uuid
from typing import Any

from sqlalchemy import insert, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from core.errors import NotFound
from core.messages import Accepted, Inbound
from db import contacts
from db.inbox import KnownEvent, known, remember
from db.models import Conversation
from db.newcomers import add
from db.sessions import Database


async def accept(database: Database, inbound: Inbound, *, avatar: str) -> Accepted:
    """avatar: for conversations that have not chosen one. Raises NotFound, Conflict, DatabaseUnavailable."""
    try:
        async with database.begin() as connection:
            conversation = await _conversation(connection, inbound)
            turn_id = uuid.uuid4()
            await remember(connection, inbound, conversation["id"], turn_id)
            await add(connection, inbound, conversation, turn_id, avatar)
            return Accepted(str(turn_id), str(conversation["id"]))
    except KnownEvent:
        return await known(database, inbound)


async def _conversation(connection: AsyncConnection, inbound: Inbound) -> Any:
    """Locks the conversation's row and gives out the next seq."""
    if inbound.conversation_id is None and inbound.channel != "web":
        await _ensure_conversation(connection, inbound)
    elif inbound.conversation_id is None:
        return await _new_conversation(connection, inbound)
    known = (
        Conversation.id == conversation_uuid(inbound.conversation_id)
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


def conversation_uuid(conversation_id: str) -> uuid.UUID:
    """Raises NotFound for what is no id."""
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
        "contact_id": (await contacts.seen(connection, inbound, inbound.sender_id, inbound.display_name))["id"],
        "channel": inbound.channel,
        "account": inbound.account,
        "external_chat_id": inbound.chat_id,
        **_choices(inbound),
    }
