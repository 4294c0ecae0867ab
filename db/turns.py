"""What is asked of turns: claim, renew, save, end, cancel, reconcile. Every write of a holder checks the fence."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
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
    Update,
    Uuid,
    and_,
    bindparam,
    case,
    cast,
    func,
    literal,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.orm import aliased

from core.errors import LeaseLost
from core.states import BEFORE_RENDERED, TRANSITIONS, TurnEvent, TurnState
from db.endings import hold_unsent, lock_outbox
from db.models import Conversation, LayerOutput, Message, OutboxRow, Turn
from db.sessions import Database
from db.switches import PAUSED, on

HISTORY = 20
"""Messages of a conversation that are handed to the language model."""
WAITING = 50
"""Turns that wait are counted up to so many: more make no difference to the one in hand."""

_AGE, _WAITING = "age_s", "waiting"

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
            earlier.state.in_(BEFORE_RENDERED),
        )
        .correlate(turn)
        .exists()
    )


def _claimable() -> Select[uuid.UUID]:
    """Ids of the turns that may run now, oldest first."""
    waiting = aliased(Turn, name="waiting")
    return (
        select(waiting.id)
        .where(waiting.state == TurnState.QUEUED, waiting.not_before <= func.now(), first_in_line(waiting))
        .order_by(waiting.queued_at)
    )


@cache
def _claim() -> Executable:
    """With the parameters `owner` and `lease`. Built once, as what follows: building takes longer than executing."""
    oldest = _claimable().limit(1).with_for_update(skip_locked=True).scalar_subquery()
    return (
        update(Turn)
        .where(Turn.id == oldest, ~on(PAUSED))
        .values(
            state=TRANSITIONS[TurnState.QUEUED, TurnEvent.CLAIM],
            fence=Turn.fence + 1,
            attempts=Turn.attempts + 1,
            lease_owner=bindparam("owner"),
            lease_until=func.now() + bindparam("lease", type_=Interval),
            started_at=func.coalesce(Turn.started_at, func.now()),
        )
        .returning(*Turn.__table__.columns, _age().label(_AGE), _waiting().label(_WAITING))
    )


def _age() -> ColumnElement[float]:
    """Seconds since the message came."""
    return cast(func.extract("epoch", func.now() - Turn.created_at), Float)


def _waiting() -> ColumnElement[int]:
    """Turns that may run as soon as those before them have; of the one that is claimed the snapshot still says so."""
    queued = aliased(Turn, name="queued")
    due = select(queued.id).where(queued.state == TurnState.QUEUED, queued.not_before <= func.now())
    others = due.where(queued.id != Turn.id).correlate(Turn).limit(WAITING).subquery()
    return select(func.count()).select_from(others).scalar_subquery()


@cache
def _context() -> tuple[Executable, Executable, Executable]:
    """The conversation's row, its newest messages, the turn's saved outputs; parameters `conversation`, `turn`."""
    conversation, turn = bindparam("conversation", type_=Uuid), bindparam("turn", type_=Uuid)
    row = select(*Conversation.__table__.columns).where(Conversation.id == conversation)
    newest = select(Message.role, Message.text, Message.id).where(Message.conversation_id == conversation)
    newest = newest.where(Message.turn_id.is_distinct_from(turn)).order_by(Message.id.desc()).limit(HISTORY)
    outputs = select(*LayerOutput.__table__.columns).where(LayerOutput.turn_id == turn)
    return row, newest, outputs.order_by(LayerOutput.layer, LayerOutput.part)


async def claim(database: Database, owner: str, lease_s: float) -> Claimed | None:
    """The oldest turn that may run now, leased to `owner`; None where there is none."""
    parameters = {"owner": owner, "lease": timedelta(seconds=lease_s)}
    async with database.begin() as connection:
        row = (await connection.execute(_claim(), parameters)).mappings().one_or_none()
        return None if row is None else await _with_context(connection, dict(row))


async def _with_context(connection: AsyncConnection, turn: dict[str, Any]) -> Claimed:
    async def asked(question: Executable, **parameters: Any) -> Sequence[Any]:
        return (await connection.execute(question, parameters)).mappings().all()

    row, newest, saved = _context()
    conversation = dict((await asked(row, conversation=turn["conversation_id"]))[0])
    known = {"conversation": turn["conversation_id"], "turn": turn["id"]}
    history = await asked(newest, **known) if turn["seq"] > 1 else []
    prepared = turn["attempts"] > 1 or turn["answer"] is not None
    outputs = await asked(saved, turn=turn["id"]) if prepared else []
    age_s, waiting = turn.pop(_AGE), turn.pop(_WAITING)
    return Claimed(turn, conversation, tuple(map(dict, reversed(history))), tuple(map(dict, outputs)), age_s, waiting)


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


async def save(database: Database, claimed: Claimed, what: Save) -> None:
    """One transaction, refused with LeaseLost where the fence is another's by now."""
    expressions = {name: value for name, value in what.columns.items() if isinstance(value, ClauseElement)}
    plain = {name: value for name, value in what.columns.items() if name not in expressions}
    statement = _save(what.event).values(expressions) if expressions else _save(what.event)
    async with database.begin() as connection:
        if what.event is TurnEvent.CANCEL:
            await lock_outbox(connection, claimed.id)
        held = await connection.execute(statement, {"held_id": claimed.id, "held_fence": claimed.fence, **plain})
        if held.rowcount != 1:
            raise LeaseLost
        await _append(connection, claimed, what)
        if what.event is TurnEvent.CANCEL:
            await hold_unsent(connection, claimed.id)


@cache
def _save(event: TurnEvent | None) -> Update:
    """Columns that are given as parameters are set too; the one that stays as it is makes a statement without any."""
    held = _held(bindparam("held_id", type_=Uuid), bindparam("held_fence", type_=Integer))
    values = {"cancel_requested": Turn.cancel_requested} | (_end(event) if event is not None else {})
    return update(Turn).where(held).values(values)


def _end(event: TurnEvent) -> dict[str, Any]:
    state = TRANSITIONS[TurnState.RUNNING, event]
    # A correction asks the holder to stop as a cancel does.
    superseded = case((Turn.superseded_by.is_not(None), TurnState.SUPERSEDED), else_=TurnState.CANCELLED)
    written = superseded if event is TurnEvent.CANCEL else state
    values: dict[str, Any] = {"state": written, "lease_owner": None, "lease_until": None}
    if state is TurnState.RENDERED:
        values["rendered_at"] = func.now()
    elif state is not TurnState.QUEUED:
        values["ended_at"] = func.now()
    return values


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


async def requeue(database: Database, claimed: Claimed, *, delay_s: float = 0.0, refund: bool = False) -> None:
    """Back to the queue; `refund` gives the attempt back (a drain is nobody's fault). Raises LeaseLost."""
    columns: dict[str, Any] = {"not_before": func.now() + timedelta(seconds=delay_s), "layer": None}
    if refund:
        columns["attempts"] = Turn.attempts - 1
    await save(database, claimed, Save(columns=columns, event=TurnEvent.REQUEUE))


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
