"""What is kept of a person: counted, told, forgotten."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from sqlalchemy import ColumnElement, Float, ScalarSelect, Select, delete, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from core.states import OutboxState, TaskState
from db.consequences import HELD_NOTICE
from db.conversations import cancel_open
from db.models import Base, Contact, Conversation, Inbox, LayerOutput, Message, OutboxRow, Task, Turn
from db.retention import own_folders

DAY = timedelta(hours=24)
EXPORT, FORGET = "export", "forget"
"""Kinds of tasks."""
EXPORTS = "exports"
"""The folder of the storage with a folder for each person who asked for what is kept."""
_OURS = {"fence", "lease_owner", "lease_until", "not_before", "attempts", "dedupe_key", "gathered"}
"""Columns about our work, not about a person."""
_KEPT = (Turn, Message, LayerOutput, Inbox, OutboxRow, Task)


@dataclass(frozen=True)
class Usage:
    """Of the last 24 hours, and in all."""

    messages_today: int
    messages: int
    video_s_today: float
    video_s: float


@dataclass(frozen=True)
class Left:
    """Of whom something is still under way. running: turns whose holder must be asked to stop."""

    running: list[uuid.UUID] = field(default_factory=list)
    busy: bool = False

    def __bool__(self) -> bool:
        return self.busy or bool(self.running)


@dataclass(frozen=True)
class Belongings:
    """What a person leaves beside rows: chats (conversations' rows), names in the storage, ids of turns."""

    chats: Sequence[Mapping[str, Any]]
    names: set[str]
    turns: list[uuid.UUID]


def _chats(contact_id: uuid.UUID) -> ScalarSelect[Any]:
    return select(Conversation.id).where(Conversation.contact_id == contact_id).scalar_subquery()


async def usage(connection: AsyncConnection, contact_id: uuid.UUID) -> Usage:
    """Over all the person's conversations; what was deleted no longer counts."""
    seconds = Turn.video["seconds"].astext.cast(Float)
    late = Turn.created_at > func.now() - DAY
    row = await connection.execute(
        select(
            func.count().filter(late),
            func.count(),
            func.coalesce(func.sum(seconds).filter(late), 0.0),
            func.coalesce(func.sum(seconds), 0.0),
        ).where(Turn.conversation_id.in_(_chats(contact_id)))
    )
    return Usage(*row.one())


async def exporting(connection: AsyncConnection, conversation_id: uuid.UUID) -> bool:
    """Whether an export is being made already."""
    found = select(Task.id).where(
        Task.conversation_id == conversation_id,
        Task.kind == EXPORT,
        Task.state.in_((TaskState.QUEUED, TaskState.RUNNING)),
    )
    return await connection.scalar(found.limit(1)) is not None


async def kept(connection: AsyncConnection, contact_id: uuid.UUID) -> dict[str, list[dict[str, Any]]]:
    """Every row about the person, a list a table, without the columns that only our work needs."""
    chats = _chats(contact_id)
    found = {
        Contact.__tablename__: select(Contact.__table__).where(Contact.id == contact_id),
        Conversation.__tablename__: select(Conversation.__table__).where(Conversation.contact_id == contact_id),
    }
    found |= {each.__tablename__: _rows(each, chats) for each in _KEPT}
    return {name: await _read(connection, question) for name, question in found.items()}


def _rows(table: type[Base], chats: ScalarSelect[Any]) -> Select[Any]:
    if table is LayerOutput:
        turns = select(Turn.id).where(Turn.conversation_id.in_(chats)).scalar_subquery()
        return select(LayerOutput.__table__).where(LayerOutput.turn_id.in_(turns)).order_by(LayerOutput.created_at)
    columns = table.__table__.c
    return select(table.__table__).where(columns.conversation_id.in_(chats)).order_by(*table.__table__.primary_key)


async def _read(connection: AsyncConnection, question: Select[Any]) -> list[dict[str, Any]]:
    rows = (await connection.execute(question)).mappings()
    return [{name: value for name, value in row.items() if name not in _OURS} for row in rows]


async def stop(connection: AsyncConnection, contact_id: uuid.UUID) -> Left:
    """Cancels what is open of the person, whose rows stay locked: nothing new of them begins in this transaction."""
    await connection.execute(select(Contact.id).where(Contact.id == contact_id).with_for_update())
    chats = select(Conversation.id).where(Conversation.contact_id == contact_id).order_by(Conversation.id)
    left = Left(busy=False)
    for conversation_id in (await connection.execute(chats.with_for_update())).scalars().all():
        left.running.extend((await cancel_open(connection, conversation_id)).running)
    return Left(left.running, busy=await _under_way(connection, _chats(contact_id)))


async def _under_way(connection: AsyncConnection, chats: ScalarSelect[Any]) -> bool:
    """Whether something is being sent, or another task works for the person."""
    sending: Select[Any] = select(OutboxRow.id).where(
        OutboxRow.conversation_id.in_(chats),
        OutboxRow.state == OutboxState.SENDING,
        OutboxRow.lease_until > func.now(),
    )
    working: Select[Any] = select(Task.id).where(
        Task.conversation_id.in_(chats),
        Task.state == TaskState.RUNNING,
        Task.kind != FORGET,
        Task.lease_until > func.now(),
    )
    found = [await connection.scalar(question.limit(1)) for question in (sending, working)]
    return found != [None, None]


async def belongings(connection: AsyncConnection, contact_id: uuid.UUID) -> Belongings:
    """Where the person's files lie: each turn's folder, each upload's and task's, and the exports."""
    chats = _chats(contact_id)
    rows = await _read(connection, select(Conversation.__table__).where(Conversation.contact_id == contact_id))
    turns = (await connection.execute(select(Turn.id).where(Turn.conversation_id.in_(chats)))).scalars().all()
    uploads = select(Turn.input_media).where(Turn.conversation_id.in_(chats), Turn.input_media.is_not(None))
    named: list[str] = [str(name) for name in (await connection.execute(uploads)).scalars()]
    for column, table in ((OutboxRow.payload, OutboxRow), (Task.payload, Task), (Task.result, Task)):
        written = select(column).where(table.conversation_id.in_(chats), _with_path(column))
        for payload in (await connection.execute(written)).scalars():
            named += _paths(payload)
    own = own_folders(named)
    tasks = (await connection.execute(select(Task.id).where(Task.conversation_id.in_(chats)))).scalars()
    own |= {f"task-{number}" for number in tasks}
    return Belongings(rows, {f"{EXPORTS}/{contact_id}", *map(str, turns), *own}, list(turns))


def _with_path(column: Any) -> ColumnElement[bool]:
    return or_(*(column.has_key(key) for key in _PATHS))


_PATHS = ("path", "thumbnail", "media")
"""Keys under which payloads name files."""


def _paths(payload: Mapping[str, Any]) -> Iterator[str]:
    return (value for key in _PATHS if isinstance(value := payload.get(key), str))


async def forget(connection: AsyncConnection, contact_id: uuid.UUID) -> None:
    """Every row about the person: what is of their conversations goes with them, and so do the notices that told
    administrators of a message to them."""
    chats = (await connection.execute(select(Conversation.id).where(Conversation.contact_id == contact_id))).scalars()
    for conversation_id in chats.all():
        about = OutboxRow.dedupe_key.startswith(f"{HELD_NOTICE}{conversation_id}:", autoescape=True)
        await connection.execute(delete(OutboxRow).where(about))
    await connection.execute(delete(Contact).where(Contact.id == contact_id))
