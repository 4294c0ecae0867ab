"""Every event that came, once."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import timedelta
from functools import cache
from typing import Any

from sqlalchemy import Executable, Integer, Uuid, bindparam, func, select
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from core.errors import Conflict, DatabaseUnavailable
from core.messages import Accepted, Event, Inbound, Status
from db.models import Inbox
from db.sessions import Database


class KnownEvent(Exception):
    """Rolls the transaction back: the event is in the inbox already."""


async def remember(
    connection: AsyncConnection, inbound: Inbound, conversation_id: uuid.UUID, turn_id: uuid.UUID | None
) -> int:
    """The event's number. Raises KnownEvent."""
    more = {"digest": inbound.digest, "turn_id": turn_id, "payload": {"kind": inbound.kind}}
    number = await _added(connection, inbound, conversation_id, more)
    if number is None:
        raise KnownEvent
    return number


async def remember_status(connection: AsyncConnection, status: Status, conversation_id: uuid.UUID) -> bool:
    """False where it was told before."""
    more = {"digest": None, "turn_id": None, "payload": {"kind": "status", "state": status.state}}
    return await _added(connection, status, conversation_id, more) is not None


async def _added(
    connection: AsyncConnection, event: Event, conversation_id: uuid.UUID, more: Mapping[str, Any]
) -> int | None:
    """Its number; None where it was there."""
    named = {"channel": event.channel, "account": event.account, "external_event_id": event.event_id}
    number = await connection.scalar(_add(), {**named, "conversation_id": conversation_id, **more})
    return None if number is None else int(number)


@cache
def _add() -> Executable:
    """Built once: building takes longer than executing."""
    names = ("channel", "account", "external_event_id", "digest", "conversation_id", "turn_id", "payload")
    return (
        upsert(Inbox)
        .values({name: bindparam(name) for name in names})
        .on_conflict_do_nothing(index_elements=["channel", "account", "external_event_id"])
        .returning(Inbox.id)
    )


async def is_known(connection: AsyncConnection, inbound: Inbound) -> bool:
    """Whether the event came before."""
    question = select(Inbox.id).where(
        Inbox.channel == inbound.channel,
        Inbox.account == inbound.account,
        Inbox.external_event_id == inbound.event_id,
    )
    return await connection.scalar(question) is not None


async def known(database: Database, inbound: Inbound) -> Accepted:
    """What became of an event that is in the inbox. Raises Conflict where it came with another content, and
    DatabaseUnavailable where it has been removed this moment: whoever sends it again is heard."""
    found = await find(database, inbound)
    if found is None:
        raise DatabaseUnavailable
    return found


async def find(database: Database, inbound: Inbound) -> Accepted | None:
    """What became of an event that came before; None where it did not. Raises Conflict as `known` does."""
    question = select(Inbox.turn_id, Inbox.conversation_id, Inbox.digest).where(
        Inbox.channel == inbound.channel,
        Inbox.account == inbound.account,
        Inbox.external_event_id == inbound.event_id,
    )
    async with database.begin() as connection:
        row = (await connection.execute(question)).one_or_none()
    if row is None:
        return None
    if row.digest != inbound.digest:
        raise Conflict
    turn_id = None if row.turn_id is None else str(row.turn_id)
    return Accepted(turn_id, str(row.conversation_id), duplicate=True)


async def too_many(connection: AsyncConnection, conversation_id: uuid.UUID, a_minute: int) -> bool:
    """Whether more than so many events came from the chat within the last minute; statuses of answers are none."""
    return bool(await connection.scalar(_too_many(), {"conversation": conversation_id, "rate": a_minute}))


@cache
def _too_many() -> Executable:
    oldest = (
        select(Inbox.received_at)
        .where(Inbox.conversation_id == bindparam("conversation", type_=Uuid), Inbox.payload["kind"].astext != "status")
        .order_by(Inbox.id.desc())
        .offset(bindparam("rate", type_=Integer))
        .limit(1)
        .scalar_subquery()
    )
    return select(oldest > func.now() - timedelta(minutes=1))
