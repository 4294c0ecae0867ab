"""An event of a platform enters: what comes of it is decided by who calls, in the same transaction."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from sqlalchemy import Executable, Uuid, bindparam, func, literal_column, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from core.errors import NotFound
from core.kinds import Mode
from core.messages import Inbound
from core.states import TurnState
from db import contacts, inbox, limits, newcomers, renaming
from db.inbox import KnownEvent
from db.intake import conversation_uuid
from db.limits import Caps
from db.models import Contact, Conversation, Inbox, OutboxRow
from db.sessions import Database


@dataclass(frozen=True)
class Entry:
    """An event that nobody has taken yet, inside its transaction. The conversation's row is locked.

    conversation, contact: rows; the contact is who sent it, in a group one of many. begun: the conversation is new.
    """

    connection: AsyncConnection
    inbound: Inbound
    event: int
    conversation: Mapping[str, Any]
    contact: Mapping[str, Any]
    begun: bool


@asynccontextmanager
async def entering(database: Database, inbound: Inbound, window_s: float | None = None) -> AsyncIterator[Entry | None]:
    """The event's transaction, committed at the end of the block; None where the event was taken before.

    window_s: so long after a message the platform takes answers. Raises DatabaseUnavailable.
    """
    try:
        async with database.begin() as connection:
            yield await _enter(connection, inbound, window_s)
    except KnownEvent:
        yield None


async def _enter(connection: AsyncConnection, inbound: Inbound, window_s: float | None) -> Entry:
    if inbound.conversation_id is not None:
        return await _enter_known(connection, inbound)
    if inbound.known_as:
        await renaming.rename(connection, inbound)
    sender = await contacts.seen(connection, inbound, inbound.sender_id, inbound.display_name)
    owner = await contacts.seen(connection, inbound, inbound.chat_id, None) if inbound.group else sender
    values = {
        "addresses": dict(inbound.addresses),
        "hint": inbound.hint,
        "is_group": inbound.group,
        "reachable": inbound.presence != "left",
        "window_expires_at": _window(inbound, window_s),
    }
    row = await _arrived(connection, inbound, owner["id"], values)
    event = await inbox.remember(connection, inbound, row["id"], None)
    return Entry(connection, inbound, event, row, sender, bool(row["begun"]))


async def _enter_known(connection: AsyncConnection, inbound: Inbound) -> Entry:
    """The conversation was named by its id. Raises NotFound."""
    found = await connection.execute(
        select(*Conversation.__table__.columns)
        .where(
            Conversation.id == conversation_uuid(inbound.conversation_id or ""),
            Conversation.channel == inbound.channel,
            Conversation.account == inbound.account,
        )
        .with_for_update()
    )
    row = found.mappings().one_or_none()
    if row is None:
        raise NotFound("no such conversation", message_id="error-no-conversation")
    owner = await connection.execute(select(*Contact.__table__.columns).where(Contact.id == row["contact_id"]))
    event = await inbox.remember(connection, inbound, row["id"], None)
    return Entry(connection, inbound, event, dict(row), dict(owner.mappings().one()), begun=False)


def _window(inbound: Inbound, window_s: float | None) -> datetime | None:
    """Only what a person wrote opens it: the platform's word that they moved does not."""
    if window_s is None or inbound.presence is not None:
        return None
    now = datetime.now(UTC)
    return min(inbound.sent_at or now, now) + timedelta(seconds=window_s)


async def _arrived(connection: AsyncConnection, inbound: Inbound, owner: Any, values: dict[str, Any]) -> Any:
    """The conversation's row, made or brought up to date; an event that comes late does not move the window back."""
    new = {
        "id": uuid.uuid4(),
        "contact_id": owner,
        "channel": inbound.channel,
        "account": inbound.account,
        "external_chat_id": inbound.chat_id,
        **values,
    }
    return dict((await connection.execute(_arrival(), new)).mappings().one())


@cache
def _arrival() -> Executable:
    """Built once: building takes longer than executing."""
    names = ("id", "contact_id", "channel", "account", "external_chat_id")
    fresh = ("addresses", "hint", "is_group", "reachable", "window_expires_at")
    row = upsert(Conversation).values({name: bindparam(name) for name in (*names, *fresh)})
    kept = {
        "is_group": row.excluded.is_group,
        "reachable": row.excluded.reachable,
        "hint": func.coalesce(row.excluded.hint, Conversation.hint),
        "addresses": Conversation.addresses.op("||")(row.excluded.addresses),
        "window_expires_at": func.greatest(row.excluded.window_expires_at, Conversation.window_expires_at),
    }
    return row.on_conflict_do_update(index_elements=["channel", "account", "external_chat_id"], set_=kept).returning(
        *Conversation.__table__.columns, literal_column("xmax = 0").label("begun")
    )


async def too_many(entry: Entry, a_minute: int) -> bool:
    """Whether more than so many events came from the chat within the last minute."""
    return await inbox.too_many(entry.connection, entry.conversation["id"], a_minute)


async def add_turn(entry: Entry, avatar: str, *, caps: Caps | None = None, **columns: Any) -> tuple[uuid.UUID, bool]:
    """A turn of the event's message: its id, and whether it lost its video to the day's seconds. avatar: for
    conversations and a service that have not chosen one. columns: what differs from what the message says, its id
    perhaps. Raises QueueFull, TooManyOpen; then nothing was written, and the transaction goes on."""
    turn_id = columns.pop("id", None) or uuid.uuid4()
    place = await limits.place(entry.connection, entry.conversation["id"], caps)
    assert place is not None, "its row is locked"
    await newcomers.add(entry.connection, entry.inbound, entry.conversation, place, turn_id, avatar, **columns)
    await entry.connection.execute(_name_turn(), {"event": entry.event, "turn": turn_id})
    return turn_id, place.loses(entry.conversation["modes"] or newcomers.ALL_MODES)


@cache
def _name_turn() -> Executable:
    """The event knows which turn came of it."""
    return update(Inbox).where(Inbox.id == bindparam("event")).values(turn_id=bindparam("turn", type_=Uuid))


async def add_answered(entry: Entry, replies: list[dict[str, Any]], language: str, avatar: str) -> uuid.UUID:
    """A turn whose answer is these replies: rendered, and theirs to be delivered."""
    turn_id, _ = await add_turn(
        entry,
        avatar,
        state=TurnState.RENDERED,
        modes=[Mode.TEXT],
        answer="\n\n".join(filter(None, map(_as_text, replies))),
        answer_language=language,
        queued_at=func.now(),
        started_at=func.now(),
        rendered_at=func.now(),
    )
    await reply(entry, [{**row, "turn_id": turn_id} for row in replies])
    return turn_id


def _as_text(row: Mapping[str, Any]) -> str:
    """A menu's choices are the commands that they stand for."""
    choices = (f"{choice['title']}: {choice['id']}" for choice in row["payload"].get("choices", ()))
    return "\n".join([row["payload"].get("text") or "", *choices]).strip()


async def reply(entry: Entry, rows: list[dict[str, Any]]) -> bool:
    """Rows {"kind", "payload", "dedupe_key"?} for the outbox, quoting the message; a key that is there already writes
    nothing. Whether anything was written."""
    if not rows:
        return False
    quoted = {"conversation_id": entry.conversation["id"], "reply_to": entry.inbound.message_id}
    keyed = [{"dedupe_key": f"event:{entry.event}:{number}", **quoted, **row} for number, row in enumerate(rows)]
    return (await entry.connection.execute(_say(), keyed)).first() is not None


@cache
def _say() -> Executable:
    """Built once: building takes longer than executing."""
    return upsert(OutboxRow).on_conflict_do_nothing(index_elements=["dedupe_key"]).returning(OutboxRow.id)
