"""One inbound message: inbox event, conversation and turn in one transaction, once."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import func, insert, literal, literal_column, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from core.errors import Conflict, NotFound
from core.kinds import Mode
from core.messages import Accepted, Inbound
from core.states import TurnState
from db.models import Contact, Conversation, Inbox, OutboxRow, Turn
from db.sessions import Database
from db.switches import DEFAULT_AVATAR, chosen

ALL_MODES = [mode.value for mode in Mode]


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
        return await known(database, inbound)


@asynccontextmanager
async def entering(database: Database, inbound: Inbound, window_s: float | None = None) -> AsyncIterator[Entry | None]:
    """The event's transaction, committed at the end of the block; None where the event was taken before.

    window_s: so long after a message the platform takes answers. Raises DatabaseUnavailable.
    """
    try:
        async with database.begin() as connection:
            yield await _enter(connection, inbound, window_s)
    except _KnownEvent:
        yield None


async def _enter(connection: AsyncConnection, inbound: Inbound, window_s: float | None) -> Entry:
    if inbound.conversation_id is not None:
        return await _enter_known(connection, inbound)
    if inbound.known_as:
        await _rename(connection, inbound)
    sender = await _contact(connection, inbound, inbound.sender_id, inbound.display_name)
    owner = await _contact(connection, inbound, inbound.chat_id, None) if inbound.group else sender
    values = {
        "addresses": dict(inbound.addresses),
        "hint": inbound.hint,
        "is_group": inbound.group,
        "reachable": inbound.presence != "left",
        "window_expires_at": _window(inbound, window_s),
    }
    row = await _arrived(connection, inbound, owner["id"], values)
    event = await _remember(connection, inbound, row["id"], None)
    return Entry(connection, inbound, event, row, sender, bool(row["begun"]))


async def _enter_known(connection: AsyncConnection, inbound: Inbound) -> Entry:
    """The conversation was named by its id. Raises NotFound."""
    found = await connection.execute(
        select(*Conversation.__table__.columns)
        .where(
            Conversation.id == _uuid(inbound.conversation_id or ""),
            Conversation.channel == inbound.channel,
            Conversation.account == inbound.account,
        )
        .with_for_update()
    )
    row = found.mappings().one_or_none()
    if row is None:
        raise NotFound("no such conversation", message_id="error-no-conversation")
    owner = await connection.execute(select(*Contact.__table__.columns).where(Contact.id == row["contact_id"]))
    event = await _remember(connection, inbound, row["id"], None)
    return Entry(connection, inbound, event, dict(row), dict(owner.mappings().one()), begun=False)


async def _rename(connection: AsyncConnection, inbound: Inbound) -> None:
    """A chat that the platform now calls otherwise stays the same conversation."""
    for table, column, new in (
        (Conversation, Conversation.external_chat_id, inbound.chat_id),
        (Contact, Contact.external_id, inbound.chat_id if inbound.group else inbound.sender_id),
    ):
        taken = select(literal(1)).where(
            table.channel == inbound.channel, table.account == inbound.account, column == new
        )
        await connection.execute(
            update(table)
            .where(
                table.channel == inbound.channel,
                table.account == inbound.account,
                column.in_(inbound.known_as),
                ~taken.correlate(None).exists(),
            )
            .values({column: new})
        )


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
    kept = values | {
        "hint": func.coalesce(values["hint"], Conversation.hint),
        "addresses": Conversation.addresses.op("||")(values["addresses"]),
        "window_expires_at": func.greatest(values["window_expires_at"], Conversation.window_expires_at),
    }
    row = await connection.execute(
        upsert(Conversation)
        .values(new)
        .on_conflict_do_update(index_elements=["channel", "account", "external_chat_id"], set_=kept)
        .returning(*Conversation.__table__.columns, literal_column("xmax = 0").label("begun"))
    )
    return dict(row.mappings().one())


async def too_many(entry: Entry, a_minute: int) -> bool:
    """Whether more than so many events came from the chat within the last minute; statuses of answers are none."""
    oldest = (
        select(Inbox.received_at)
        .where(Inbox.conversation_id == entry.conversation["id"], Inbox.payload["kind"].astext != "status")
        .order_by(Inbox.id.desc())
        .offset(a_minute)
        .limit(1)
        .scalar_subquery()
    )
    return bool(await entry.connection.scalar(select(oldest > func.now() - timedelta(minutes=1))))


async def add_turn(entry: Entry, avatar: str, **columns: Any) -> uuid.UUID:
    """A turn of the event's message. avatar: for conversations and a service that have not chosen one. columns: what
    differs from what the message says, its id perhaps."""
    seq = await entry.connection.scalar(
        update(Conversation)
        .where(Conversation.id == entry.conversation["id"])
        .values(last_seq=Conversation.last_seq + 1)
        .returning(Conversation.last_seq)
    )
    values = _turn(entry.inbound, {**entry.conversation, "last_seq": seq}, uuid.uuid4(), avatar) | columns
    await entry.connection.execute(insert(Turn).values(values))
    await entry.connection.execute(update(Inbox).where(Inbox.id == entry.event).values(turn_id=values["id"]))
    return uuid.UUID(str(values["id"]))


async def add_answered(entry: Entry, replies: list[dict[str, Any]], language: str, avatar: str) -> uuid.UUID:
    """A turn whose answer is these replies: rendered, and theirs to be delivered."""
    turn_id = await add_turn(
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


async def reply(entry: Entry, rows: list[dict[str, Any]]) -> None:
    """Rows {"kind", "payload", "dedupe_key"?} for the outbox, quoting the message; a key that is there already writes
    nothing."""
    if not rows:
        return
    quoted = {"conversation_id": entry.conversation["id"], "reply_to": entry.inbound.message_id}
    keyed = [{"dedupe_key": f"event:{entry.event}:{number}", **quoted, **row} for number, row in enumerate(rows)]
    await entry.connection.execute(upsert(OutboxRow).on_conflict_do_nothing(index_elements=["dedupe_key"]), keyed)


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
        "contact_id": (await _contact(connection, inbound, inbound.sender_id, inbound.display_name))["id"],
        "channel": inbound.channel,
        "account": inbound.account,
        "external_chat_id": inbound.chat_id,
        **_choices(inbound),
    }


async def _contact(connection: AsyncConnection, inbound: Inbound, external_id: str, name: str | None) -> Any:
    seen = upsert(Contact).values(
        id=uuid.uuid4(),
        channel=inbound.channel,
        account=inbound.account,
        external_id=external_id,
        display_name=name,
    )
    row = await connection.execute(
        seen.on_conflict_do_update(
            index_elements=["channel", "account", "external_id"],
            set_={
                "last_seen_at": func.now(),
                "display_name": func.coalesce(seen.excluded.display_name, Contact.display_name),
            },
        ).returning(*Contact.__table__.columns)
    )
    return dict(row.mappings().one())


async def _remember(
    connection: AsyncConnection, inbound: Inbound, conversation_id: uuid.UUID, turn_id: uuid.UUID | None
) -> int:
    """The event's number. Raises _KnownEvent."""
    added = await connection.execute(
        upsert(Inbox)
        .values(
            channel=inbound.channel,
            account=inbound.account,
            external_event_id=inbound.event_id,
            digest=inbound.digest,
            conversation_id=conversation_id,
            turn_id=turn_id,
            payload={"kind": inbound.kind},
        )
        .on_conflict_do_nothing(index_elements=["channel", "account", "external_event_id"])
        .returning(Inbox.id)
    )
    number = added.scalar_one_or_none()
    if number is None:
        raise _KnownEvent
    return number


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
        "message_id": inbound.message_id,
        "avatar": conversation["avatar"] or func.coalesce(chosen(DEFAULT_AVATAR), avatar),
        "voice": conversation["voice"],
        "language": inbound.language or (conversation["language"] if conversation.get("language_chosen") else None),
        "modes": conversation["modes"] or ALL_MODES,
        "emotion_enabled": conversation.get("emotion_enabled", True),
        "queued_at": func.now() if ready else None,
    }


async def known(database: Database, inbound: Inbound) -> Accepted:
    """What became of an event that came before. Raises Conflict where it came with another content."""
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
    turn_id = None if row.turn_id is None else str(row.turn_id)
    return Accepted(turn_id, str(row.conversation_id), duplicate=True)
