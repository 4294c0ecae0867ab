"""What is asked of turns: claim, renew, save, end, cancel, reconcile. Every write of a holder checks the fence."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import cache
from typing import Any

from sqlalchemy import (
    ClauseElement,
    ColumnElement,
    Executable,
    Float,
    Integer,
    Interval,
    Select,
    Subquery,
    Uuid,
    and_,
    bindparam,
    case,
    cast,
    func,
    literal,
    literal_column,
    or_,
    select,
    true,
    update,
)
from sqlalchemy.dialects.postgresql import JSONB, aggregate_order_by
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.orm import aliased

from core.errors import LeaseLost
from core.states import BEFORE_RENDERED, TRANSITIONS, TurnEvent, TurnState
from db.endings import hold_unsent, lock_outbox
from db.limits import FAIR_S
from db.models import Conversation, LayerOutput, Message, OutboxRow, Turn
from db.sessions import Database
from db.switches import PAUSED, on
from db.written import at_most, is_in

HISTORY = 20
"""Messages of a conversation that are handed to the language model."""
WAITING = 50
"""Turns that wait are counted up to so many: more make no difference to the one in hand."""
FOLLOWERS = 20
"""Turns of the conversation in hand that stand back for others; the rest does when these are gone."""

_AGE, _WAITING, _OVERDUE, _HISTORY, _OUTPUTS = "age_s", "waiting", "overdue", "history", "outputs"
_TALK = "conversation."
"""How the names of the conversation's columns begin beside those of the turn."""

_ADD_OUTPUT, _ADD_MESSAGE, _ADD_OUTBOX = (
    upsert(table).on_conflict_do_nothing() for table in (LayerOutput, Message, OutboxRow)
)


@dataclass(frozen=True)
class Claimed:
    """A turn in hand: its row, the conversation's, the history (oldest first) and the outputs saved so far.

    age_s: seconds since the message came. waiting: other turns that were queued when this one was claimed.
    """

    turn: Mapping[str, Any]
    conversation: Mapping[str, Any]
    history: tuple[Mapping[str, Any], ...]
    outputs: tuple[Mapping[str, Any], ...]
    age_s: float = 0.0
    waiting: int = 0

    @property
    def id(self) -> uuid.UUID:
        return uuid.UUID(str(self.turn["id"]))

    @property
    def fence(self) -> int:
        return int(self.turn["fence"])


@dataclass
class Save:
    """What a holder writes in one transaction: columns of the turn, outputs, outbox rows, messages, an event."""

    columns: dict[str, Any] = field(default_factory=dict)
    outputs: list[dict[str, Any]] = field(default_factory=list)
    outbox: list[dict[str, Any]] = field(default_factory=list)
    messages: list[dict[str, Any]] = field(default_factory=list)
    language: str | None = None
    event: TurnEvent | None = None

    def __bool__(self) -> bool:
        return bool(self.columns or self.outputs or self.outbox or self.messages or self.event)


def first_in_line(turn: type[Turn]) -> ColumnElement[bool]:
    """No earlier turn of the conversation is still before `rendered`."""
    earlier = aliased(Turn, name="earlier")
    return ~(
        select(literal(1))
        .where(
            earlier.conversation_id == turn.conversation_id,
            earlier.seq < turn.seq,
            is_in(earlier.state, *BEFORE_RENDERED),
        )
        .correlate(turn)
        .exists()
    )


def _claimable() -> Select[uuid.UUID]:
    """Ids of the turns that may run now, in the order of db/limits.py."""
    waiting = aliased(Turn, name="waiting")
    return (
        select(waiting.id)
        .where(is_in(waiting.state, TurnState.QUEUED), waiting.not_before <= func.now(), first_in_line(waiting))
        .order_by(waiting.fair_at)
    )


@cache
def _claim() -> Executable:
    """With the parameters `owner` and `lease`; all that Claimed holds in one statement, for each costs a way to the
    server and back. Built once, as what follows: building takes longer than executing."""
    oldest = _claimable().limit(at_most(1)).with_for_update(skip_locked=True).scalar_subquery()
    return (
        update(Turn)
        .where(Turn.id == oldest, ~on(PAUSED), Conversation.id == Turn.conversation_id)
        .values(
            state=TRANSITIONS[TurnState.QUEUED, TurnEvent.CLAIM],
            fence=Turn.fence + 1,
            attempts=Turn.attempts + 1,
            lease_owner=bindparam("owner"),
            lease_until=func.now() + bindparam("lease", type_=Interval),
            started_at=func.coalesce(Turn.started_at, func.now()),
        )
        .returning(
            *Turn.__table__.columns,
            _age().label(_AGE),
            _waiting().label(_WAITING),
            _is_overdue().label(_OVERDUE),
            _history().label(_HISTORY),
            _outputs().label(_OUTPUTS),
            *(column.label(_TALK + column.name) for column in Conversation.__table__.columns),
        )
    )


def _is_overdue() -> ColumnElement[bool]:
    """Whether the place of the conversation's next turn is over, since turns take longer than FAIR_S."""
    follower = aliased(Turn, name="follower")
    following = select(follower.fair_at < func.now()).where(
        follower.conversation_id == Turn.conversation_id,
        follower.seq > Turn.seq,
        is_in(follower.state, TurnState.QUEUED),
    )
    return following.correlate(Turn).order_by(follower.seq).limit(at_most(1)).scalar_subquery()


@cache
def _stand_back() -> Executable:
    """The next turns of a conversation stand FAIR_S apart from this moment on: whoever has come meanwhile goes before
    the second of them. With the parameters `conversation` and `after`, the seq of the turn that was claimed.

    A row that somebody has locked is left as it is: to wait for it here could be a deadlock.
    """
    follower, free = aliased(Turn, name="follower"), aliased(Turn, name="free")
    line = (
        select(follower.id, func.row_number().over(order_by=follower.seq).label("nth"))
        .where(
            follower.conversation_id == bindparam("conversation", type_=Uuid),
            follower.seq > bindparam("after", type_=Integer),
            is_in(follower.state, TurnState.QUEUED),
        )
        .order_by(follower.seq)
        .limit(at_most(FOLLOWERS))
        .subquery("line")
    )
    behind = func.now() + line.c.nth * timedelta(seconds=FAIR_S)
    early = (
        select(free.id, behind.label("behind"))
        .join(line, line.c.id == free.id)
        .where(free.fair_at < behind)
        .with_for_update(of=free, skip_locked=True)
        .cte("early")
    )
    return update(Turn).where(Turn.id == early.c.id).values(fair_at=early.c.behind)


def _age() -> ColumnElement[float]:
    """Seconds since the message came."""
    return cast(func.extract("epoch", func.now() - Turn.created_at), Float)


def _waiting() -> ColumnElement[int]:
    """Turns that may run as soon as those before them have; of the one that is claimed the snapshot still says so."""
    queued = aliased(Turn, name="queued")
    due = select(queued.id).where(is_in(queued.state, TurnState.QUEUED), queued.not_before <= func.now())
    others = due.where(queued.id != Turn.id).correlate(Turn).limit(at_most(WAITING)).subquery()
    return select(func.count()).select_from(others).scalar_subquery()


def _history() -> ColumnElement[Any]:
    """The newest messages of the turn's conversation but its own, oldest first; NULL for its first turn."""
    newest = (
        select(Message.role, Message.text, Message.id)
        .where(Message.conversation_id == Turn.conversation_id, Message.turn_id.is_distinct_from(Turn.id))
        .correlate(Turn)
        .order_by(Message.id.desc())
        .limit(at_most(HISTORY))
        .subquery("newest")
    )
    return case((Turn.seq > 1, _rows(newest, newest.c.id)))


def _outputs() -> ColumnElement[Any]:
    """What was saved of the turn; NULL where nothing can be: in a first attempt without an answer given with it."""
    columns = (LayerOutput.layer, LayerOutput.part, LayerOutput.fence, LayerOutput.data, LayerOutput.ms)
    saved = select(*columns).where(LayerOutput.turn_id == Turn.id).correlate(Turn).subquery("saved")
    prepared = or_(Turn.attempts > 1, Turn.answer.is_not(None))
    return case((prepared, _rows(saved, saved.c.layer, saved.c.part)))


def _rows(found: Subquery, *order: ColumnElement[Any]) -> ColumnElement[Any]:
    """All rows in one value, a list of objects; NULL where there is none."""
    row = func.to_jsonb(literal_column(found.name))
    return select(func.jsonb_agg(aggregate_order_by(row, *order), type_=JSONB)).select_from(found).scalar_subquery()


async def claim(database: Database, owner: str, lease_s: float) -> Claimed | None:
    """The first turn in the line that may run now, leased to `owner`; None where there is none."""
    parameters = {"owner": owner, "lease": timedelta(seconds=lease_s)}
    async with database.begin() as connection:
        row = (await connection.execute(_claim(), parameters)).mappings().one_or_none()
        if row is None:
            return None
        if row[_OVERDUE]:
            known = {"conversation": row["conversation_id"], "after": row["seq"]}
            await connection.execute(_stand_back(), known)
    turn = {column.name: row[column.name] for column in Turn.__table__.columns}
    conversation = {column.name: row[_TALK + column.name] for column in Conversation.__table__.columns}
    return Claimed(turn, conversation, tuple(row[_HISTORY] or ()), tuple(row[_OUTPUTS] or ()), row[_AGE], row[_WAITING])


def _held(turn_id: Any, fence: Any) -> ColumnElement[bool]:
    return and_(Turn.id == turn_id, Turn.fence == fence, Turn.state == TurnState.RUNNING)


async def renew(database: Database, turn_id: uuid.UUID, fence: int, lease_s: float) -> bool:
    """Renews the lease; True where the user asked to cancel. Raises LeaseLost."""
    async with database.begin() as connection:
        asked = await connection.scalar(
            update(Turn)
            .where(_held(turn_id, fence))
            .values(lease_until=func.now() + timedelta(seconds=lease_s))
            .returning(Turn.cancel_requested)
        )
    if asked is None:
        raise LeaseLost
    return bool(asked)


async def save(database: Database, claimed: Claimed, what: Save) -> TurnState:
    """One transaction, refused with LeaseLost where the fence is another's by now; the turn's state after it.

    Of a turn that is to stop nothing more is sent, and whatever ends it ends it as cancelled or superseded.
    """
    expressions = {name: value for name, value in what.columns.items() if isinstance(value, ClauseElement)}
    plain = {name: value for name, value in what.columns.items() if name not in expressions}
    statement = _save(what.event).values(expressions) if expressions else _save(what.event)
    async with database.begin() as connection:
        if what.event is TurnEvent.CANCEL:
            await lock_outbox(connection, claimed.id)
        held = await connection.execute(statement, {"held_id": claimed.id, "held_fence": claimed.fence, **plain})
        row = held.one_or_none()
        if row is None:
            raise LeaseLost
        await _append(connection, claimed, replace(what, outbox=[], messages=[]) if row.cancel_requested else what)
        if what.event is TurnEvent.CANCEL:
            await hold_unsent(connection, claimed.id)
    return TurnState(row.state)


@cache
def _save(event: TurnEvent | None) -> Any:
    """Columns that are given as parameters are set too; the one that stays as it is makes a statement without any."""
    held = _held(bindparam("held_id", type_=Uuid), bindparam("held_fence", type_=Integer))
    values = {"cancel_requested": Turn.cancel_requested} | (_end(event) if event is not None else {})
    return update(Turn).where(held).values(values).returning(Turn.state, Turn.cancel_requested)


def _end(event: TurnEvent) -> dict[str, Any]:
    state = TRANSITIONS[TurnState.RUNNING, event]
    # A correction asks the holder to stop as a cancel does.
    stopped = case((Turn.superseded_by.is_not(None), TurnState.SUPERSEDED), else_=TurnState.CANCELLED)
    values: dict[str, Any] = {"lease_owner": None, "lease_until": None}
    if event is TurnEvent.CANCEL:
        return values | {"state": stopped, "ended_at": func.now()}
    values["state"] = case((Turn.cancel_requested, stopped), else_=state)
    if state is TurnState.RENDERED:
        values["rendered_at"] = case((~Turn.cancel_requested, func.now()))
    ends = true() if state is TurnState.FAILED else Turn.cancel_requested
    return values | {"ended_at": case((ends, func.now()))}


async def _append(connection: AsyncConnection, claimed: Claimed, what: Save) -> None:
    if what.outputs:
        rows = [{"turn_id": claimed.id, "fence": claimed.fence, **row} for row in what.outputs]
        await connection.execute(_ADD_OUTPUT, rows)
    if what.messages:
        rows = [{"turn_id": claimed.id, "conversation_id": claimed.conversation["id"], **r} for r in what.messages]
        await connection.execute(_ADD_MESSAGE, rows)
    if what.outbox:
        await connection.execute(_ADD_OUTBOX, outbox_rows(claimed.turn, what.outbox))
    if what.language is not None and what.language != claimed.conversation["language"]:
        await connection.execute(
            update(Conversation)
            .where(Conversation.id == claimed.conversation["id"], ~Conversation.language_chosen)
            .values(language=what.language)
        )


def outbox_rows(turn: Mapping[str, Any], rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Rows {"kind", "payload", "part"?} of a turn, with the key that makes each of them unique."""
    return [
        {
            "conversation_id": turn["conversation_id"],
            "turn_id": turn["id"],
            "turn_seq": turn["seq"],
            "part": row.get("part", 0),
            "kind": row["kind"],
            "payload": row["payload"],
            "reply_to": turn["message_id"],
            "dedupe_key": f"{turn['id']}:{row['kind']}:{row.get('part', 0)}",
        }
        for row in rows
    ]


async def requeue(database: Database, claimed: Claimed, *, delay_s: float = 0.0, refund: bool = False) -> TurnState:
    """Back to the queue, unless it is to stop; the turn's state after it. `refund` gives the attempt back (a drain is
    nobody's fault). Raises LeaseLost."""
    columns: dict[str, Any] = {"not_before": func.now() + timedelta(seconds=delay_s), "layer": None}
    if refund:
        columns["attempts"] = Turn.attempts - 1
    return await save(database, claimed, Save(columns=columns, event=TurnEvent.REQUEUE))


async def take_back(database: Database, owner: str) -> int:
    """The leases that a dead process of the same name left behind are free at once."""
    return await _free(database, Turn.lease_owner == owner)


async def free_expired(database: Database) -> int:
    """Turns whose holder no longer renews its lease are queued again."""
    return await _free(database, Turn.lease_until < func.now())


async def _free(database: Database, which: ColumnElement[bool]) -> int:
    async with database.begin() as connection:
        done = await connection.execute(
            update(Turn)
            .where(Turn.state == TurnState.RUNNING, which)
            .values(state=TurnState.QUEUED, lease_owner=None, lease_until=None, layer=None)
        )
    return int(done.rowcount)


async def stranded(database: Database, limit: int = 100) -> list[uuid.UUID]:
    """Turns that could run now: each deserves a ring, in case Redis forgot its own."""
    async with database.begin() as connection:
        rows = await connection.execute(_claimable().limit(limit))
        return list(rows.scalars())
