"""One message of a page: inbox event, conversation and turn in one transaction, once."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, Executable, Uuid, bindparam, insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from core.errors import NotFound
from core.messages import Accepted, Inbound
from db import contacts, limits
from db.inbox import KnownEvent, is_known, known, remember
from db.limits import Caps
from db.models import Contact, Conversation
from db.newcomers import add
from db.sessions import Database


async def accept(database: Database, inbound: Inbound, *, avatar: str, caps: Caps | None = None) -> Accepted:
    """avatar: for conversations that have not chosen one. Raises NotFound, Conflict, QueueFull, TooManyOpen,
    DatabaseUnavailable; then nothing is stored."""
    try:
        async with database.begin() as connection:
            conversation = await _conversation(connection, inbound)
            turn_id = uuid.uuid4()
            await remember(connection, inbound, conversation["id"], turn_id)
            place = await limits.place(connection, conversation["id"], _caps(caps or Caps(), conversation))
            assert place is not None, "its row is locked"
            await add(connection, inbound, conversation, place, turn_id, avatar)
            return Accepted(str(turn_id), str(conversation["id"]))
    except KnownEvent:
        return await known(database, inbound)


async def check_room(database: Database, inbound: Inbound, caps: Caps) -> None:
    """Before dear work is done for a message: raises QueueFull where it would only be refused then. An event that was
    taken before meets no cap."""
    async with database.begin() as connection:
        if not await is_known(connection, inbound):
            await limits.check(connection, caps)


def _caps(caps: Caps, conversation: Mapping[str, Any]) -> Caps:
    return caps.excused() if conversation["access"] == "allowed" else caps


async def _conversation(connection: AsyncConnection, inbound: Inbound) -> dict[str, Any]:
    """The conversation's row, locked, with the message's choices and its contact's `access`."""
    if inbound.conversation_id is None and inbound.channel != "web":
        await _ensure_conversation(connection, inbound)
    elif inbound.conversation_id is None:
        return await _new_conversation(connection, inbound)
    by_id = inbound.conversation_id is not None
    known = conversation_uuid(inbound.conversation_id) if inbound.conversation_id is not None else inbound.chat_id
    named = {"known": known, "its_channel": inbound.channel, "its_account": inbound.account}
    found = (await connection.execute(_locked(by_id), named)).mappings().one_or_none()
    if found is None:
        raise NotFound("no such conversation", message_id="error-no-conversation")
    chosen = {name: value for name, value in _choices(inbound).items() if value is not None}
    if any(found[name] != value for name, value in chosen.items()):
        await connection.execute(update(Conversation).where(Conversation.id == found["id"]).values(chosen))
    return {**found, **chosen}


@cache
def _locked(by_id: bool) -> Executable:
    """Built once: building takes longer than executing."""
    known: ColumnElement[bool] = Conversation.external_chat_id == bindparam("known")
    if by_id:
        known = Conversation.id == bindparam("known", type_=Uuid)
    return (
        select(*Conversation.__table__.columns, Contact.access)
        .join(Contact, Contact.id == Conversation.contact_id)
        .where(
            known,
            Conversation.channel == bindparam("its_channel"),
            Conversation.account == bindparam("its_account"),
        )
        .with_for_update(of=Conversation)
    )


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


async def _new_conversation(connection: AsyncConnection, inbound: Inbound) -> dict[str, Any]:
    conversation = await _conversation_values(connection, inbound)
    await connection.execute(insert(Conversation), conversation)
    return {**conversation, "access": None}


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
