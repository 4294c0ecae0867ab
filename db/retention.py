"""What has had its time: ended turns with their rows, replies, tasks, events, and files that nothing names any more.

A turn goes in steps, each a transaction or a file's end, so that a crash between them leaves what the next round
finishes: it is marked (its links go), its files are removed, its rows are deleted. Whatever is at work or still goes
out keeps everything: a row of the outbox that is open, one that is held and may be released, and a recording with
which a later turn asks again.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Select,
    Text,
    and_,
    any_,
    bindparam,
    cast,
    delete,
    func,
    literal,
    literal_column,
    or_,
    select,
    union,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY, UUID
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.orm import aliased
from sqlalchemy.types import TypeEngine

from core.states import OPEN, OutboxState, TurnState
from db.models import FOLDER, Base, Inbox, OutboxRow, Task, Turn
from db.overlooked import RELEASE_S

BATCH = 200
"""Turns, or rows, of one transaction."""
RECENT_S = 600.0
"""Answers so young keep their files whatever room they take: pages are about to show them."""
LEFT_S = 24 * 3600.0
"""So long after the end of a turn without files nothing writes into its folder any more."""
EVENTS_DAYS = 8.0
"""Events are known at least for so long: WhatsApp delivers one again for 7 days."""
_ROUND = 7_305_017
"""The advisory lock of a round; any number that nothing else of this database takes."""


@dataclass(frozen=True)
class Ended:
    """A turn, and its folders of the storage."""

    id: uuid.UUID
    folders: frozenset[str]


async def alone(connection: AsyncConnection) -> bool:
    """Whether no other process makes a round; that stays so until the transaction ends."""
    return bool(await connection.scalar(select(func.pg_try_advisory_xact_lock(_ROUND))))


async def old(connection: AsyncConnection, days: float) -> list[Ended]:
    """The turns that ended first, of those that ended longer than so many days ago; BATCH at most."""
    return await _first(connection, Turn.ended_at < _ago(days))


async def oldest(connection: AsyncConnection) -> list[Ended]:
    """The turns that ended first, of those with files; BATCH at most. A recording of a failed turn, which may be asked
    again, is left to `old`."""
    again = and_(Turn.state == TurnState.FAILED, Turn.superseded_by.is_(None), Turn.input_media.is_not(None))
    return await _first(connection, _with_files(), Turn.ended_at < func.now() - timedelta(seconds=RECENT_S), ~again)


async def _first(connection: AsyncConnection, *which: ColumnElement[bool]) -> list[Ended]:
    free = select(Turn.id, Turn.input_media).where(*which, _settled(), ~_asked_again())
    return _ended(await connection.execute(free.order_by(Turn.ended_at).limit(BATCH)))


def _ended(rows: Iterable[Any]) -> list[Ended]:
    return [Ended(row.id, frozenset({str(row.id), *own_folders([row.input_media])})) for row in rows]


def _with_files() -> ColumnElement[bool]:
    """As ix_turns_files has it."""
    some = or_(Turn.input_media.is_not(None), Turn.audio.is_not(None), Turn.video.is_not(None))
    return and_(Turn.ended_at.is_not(None), Turn.media_removed_at.is_(None), some)


def _settled() -> ColumnElement[bool]:
    """Nothing of the turn goes out any more."""
    released = Turn.ended_at > func.now() - timedelta(seconds=RELEASE_S)
    going = or_(OutboxRow.state.in_(OPEN), and_(OutboxRow.state == OutboxState.HELD, released))
    # Not NOT EXISTS, which PostgreSQL makes a join of, with all of the outbox.
    return select(literal(1)).where(OutboxRow.turn_id == Turn.id, going).limit(1).scalar_subquery().is_(None)


def _asked_again() -> ColumnElement[bool]:
    """A later turn has the same recording."""
    later = aliased(Turn, name="later")
    same = (
        later.input_media == Turn.input_media,
        _folder("later") == _folder("turns"),
        later.input_media.is_not(None),
        later.media_removed_at.is_(None),
        later.seq > Turn.seq,
    )
    return select(literal(1)).where(*same).limit(1).scalar_subquery().is_not(None)


def _folder(table: str) -> ColumnElement[str]:
    """The expression of ix_turns_input."""
    return literal_column(FOLDER.replace("input_media", f"{table}.input_media"), Text)


async def mark(connection: AsyncConnection, turns: Sequence[Ended]) -> list[Ended]:
    """Those of the turns that nobody else has in hand and that may go still, with the folders that no other turn names;
    their links serve no more from the commit on."""
    ids = [turn.id for turn in turns]
    locked = select(Turn.id).where(_among(Turn.id, ids), Turn.ended_at.is_not(None)).order_by(Turn.id)
    held = (await connection.execute(locked.with_for_update(skip_locked=True))).scalars().all()
    # A statement of its own: what was written while the lock was taken counts.
    marked = await connection.execute(
        update(Turn)
        .where(_among(Turn.id, held), _settled(), ~_asked_again())
        .values(media_removed_at=func.coalesce(Turn.media_removed_at, func.now()))
        .returning(Turn.id, Turn.input_media)
    )
    named = _ended(marked)
    used = await in_use(connection, set().union(*(turn.folders for turn in named)))
    return [Ended(turn.id, turn.folders - used) for turn in named]


def own_folders(names: Iterable[str | None]) -> set[str]:
    """Of files in the storage: folders of one turn or upload, whose name is an id. What lies elsewhere is shared."""
    return {folder for name in names if name and _is_id(folder := name.partition("/")[0])}


def _is_id(folder: str) -> bool:
    try:
        return str(uuid.UUID(folder)) == folder
    except ValueError:
        return False


async def in_use(connection: AsyncConnection, folders: Collection[str]) -> set[str]:
    """Those of the folders, each named by an id, that a turn that keeps its files or an open task names."""
    if not folders:
        return set()
    ids, names = [uuid.UUID(folder) for folder in folders], list(folders)
    file = Task.payload["source"]["file"].astext
    own = select(cast(Turn.id, Text)).where(_among(Turn.id, ids), Turn.media_removed_at.is_(None), ~_without_files())
    inputs = _with_recordings(names, Turn.media_removed_at.is_(None))
    sources = select(func.split_part(file, "/", 1)).where(Task.ended_at.is_(None), file.is_not(None))
    found = await connection.execute(union(own, inputs, sources))
    return set(found.scalars()) & set(folders)


def _with_recordings(folders: Sequence[str], which: ColumnElement[bool]) -> Select[str]:
    """Those of the folders in which a recording of such a turn lies."""
    given = bindparam(None, list(folders), type_=ARRAY(Text), unique=True)
    names = func.unnest(given).table_valued("folder").render_derived()
    here = select(literal(1)).where(_folder("turns") == names.c.folder, Turn.input_media.is_not(None), which)
    # One look for each: how many turns a folder has PostgreSQL guesses wrong, and reads the whole table then.
    return select(names.c.folder).where(here.limit(1).correlate(names).scalar_subquery().is_not(None))


def _without_files() -> ColumnElement[bool]:
    """It ended long ago and names no file: what lies in its folder is an attempt's that died."""
    none = and_(Turn.input_media.is_(None), Turn.audio.is_(None), Turn.video.is_(None))
    return and_(func.coalesce(Turn.ended_at < func.now() - timedelta(seconds=LEFT_S), False), none, _settled())


async def marked(connection: AsyncConnection, folders: Collection[str]) -> set[str]:
    """Those of the folders, each named by an id, that a turn named that no longer keeps its files."""
    ids, names = [uuid.UUID(folder) for folder in folders], list(folders)
    own = select(cast(Turn.id, Text)).where(_among(Turn.id, ids), Turn.media_removed_at.is_not(None))
    inputs = _with_recordings(names, Turn.media_removed_at.is_not(None))
    return set((await connection.execute(union(own, inputs))).scalars())


async def at_work(connection: AsyncConnection) -> set[int]:
    """The tasks that have not ended."""
    return set((await connection.execute(select(Task.id).where(Task.ended_at.is_(None)))).scalars())


async def going_out(connection: AsyncConnection) -> set[str]:
    """The files of documents that are still to be sent."""
    path = OutboxRow.payload["path"].astext
    found = select(path).where(OutboxRow.state.in_(OPEN), OutboxRow.kind == "document")
    return set((await connection.execute(found)).scalars())


async def remove(connection: AsyncConnection, ids: Sequence[uuid.UUID]) -> int:
    """Deletes marked turns, whose files are gone, with their messages, outputs and rows of the outbox; how many. Left
    are those that somebody else has in hand."""
    # Rows of the outbox before the turn, as everybody locks them.
    mine = select(OutboxRow.id).where(_among(OutboxRow.turn_id, ids)).order_by(OutboxRow.id)
    locked = (await connection.execute(mine.with_for_update(skip_locked=True))).scalars().all()
    others = (_among(OutboxRow.turn_id, ids), ~_among(OutboxRow.id, locked, BigInteger()))
    left = set((await connection.execute(select(OutboxRow.turn_id).where(*others))).scalars())
    free = _among(Turn.id, [each for each in ids if each not in left])
    over = select(Turn.id).where(free, Turn.media_removed_at.is_not(None), _settled()).order_by(Turn.id)
    turns = (await connection.execute(over.with_for_update(skip_locked=True))).scalars().all()
    return await _delete(connection, Turn, _among(Turn.id, turns))


async def remove_replies(connection: AsyncConnection, days: float) -> int:
    """Rows of the outbox without a turn; how many, BATCH at most."""
    gone = (OutboxRow.turn_id.is_(None), OutboxRow.created_at < _ago(days), OutboxRow.state.not_in(OPEN))
    return await _delete_first(connection, OutboxRow, OutboxRow.created_at, *gone)


async def remove_tasks(connection: AsyncConnection, days: float) -> int:
    """Tasks that have ended; how many, BATCH at most."""
    return await _delete_first(connection, Task, Task.ended_at, Task.ended_at < _ago(days))


async def remove_events(connection: AsyncConnection, days: float) -> int:
    """Events of the inbox; how many, BATCH at most."""
    return await _delete_first(connection, Inbox, Inbox.received_at, Inbox.received_at < _ago(max(days, EVENTS_DAYS)))


def _ago(days: float) -> ColumnElement[Any]:
    return func.now() - timedelta(days=days)


async def _delete_first(connection: AsyncConnection, table: type[Base], order: Any, *which: ColumnElement[bool]) -> int:
    id_ = table.__table__.c.id
    first = select(id_).where(*which).order_by(order).limit(BATCH).with_for_update(skip_locked=True)
    ids = (await connection.execute(first)).scalars().all()
    return await _delete(connection, table, id_.in_(ids)) if ids else 0


async def _delete(connection: AsyncConnection, table: type[Base], which: ColumnElement[bool]) -> int:
    return int((await connection.execute(delete(table).where(which))).rowcount)


def _among(column: Any, values: Sequence[Any], of: TypeEngine[Any] | None = None) -> ColumnElement[bool]:
    """One parameter, however many values. of: their type, where they are no ids."""
    given = bindparam(None, list(values), type_=ARRAY(of or UUID(as_uuid=True)), unique=True)
    found: ColumnElement[bool] = column == any_(given)
    return found
