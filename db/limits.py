"""How many turns are taken in, and whose comes first.

A conversation is a person: a private chat, a page, or a group, whose people share one. Turns are claimed in the order
of their `fair_at`: the first of a conversation has the moment in which it came, each further one FAIR_S more than the
one before it, so that who sends fifty stands in the line once in FAIR_S, and whoever comes meanwhile goes first. It is
an order and no delay: where nobody else waits, the next is claimed at once.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Executable,
    Float,
    Integer,
    ScalarSelect,
    Uuid,
    bindparam,
    cast,
    false,
    func,
    literal,
    select,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from core.errors import QueueFull, TooManyOpen
from core.kinds import Layer, Mode
from core.settings import Settings
from core.states import BEFORE_RENDERED
from db.models import Conversation, Turn
from db.written import is_in

FAIR_S = 30.0
"""Seconds between the places of two turns of one conversation: about what one takes on a busy machine."""
COUNTED = 100
"""Open turns of a conversation are counted up to so many; whom no cap holds has places so far ahead at most."""
VIDEO_DAY = "video_day"
"""The code of the step down of a turn that lost its video to the day's seconds."""
STEP = {"layer": Layer.VIDEO.value, "engine": "", "code": VIDEO_DAY}


@dataclass(frozen=True)
class Caps:
    """The most that is taken; 0: any number.

    queue: turns of all people before `rendered`. open: those of one conversation. video_s: seconds of video that one
    conversation gets in a day (UTC).
    """

    queue: int = 0
    open: int = 0
    video_s: float = 0.0

    @classmethod
    def of(cls, settings: Settings) -> Caps:
        return cls(settings.queue_limit, settings.user_open, settings.user_video_s)

    def excused(self) -> Caps:
        """Of somebody to whom a person's caps do not apply; nobody is excused from the queue's."""
        return Caps(queue=self.queue)

    def replacing(self) -> Caps:
        """Of a message that takes the place of one in the queue, which has ended by that."""
        return replace(self, queue=0, open=0)


@dataclass(frozen=True)
class Place:
    """Of a turn in its conversation (seq) and among all (fair_at). spent: it gets no video today."""

    seq: int
    fair_at: datetime
    spent: bool = False

    def modes(self, wanted: Sequence[str]) -> list[str]:
        """What is left of them: a voice for who wants nothing but video."""
        left = [mode for mode in wanted if not (self.spent and mode == Mode.VIDEO)]
        return left or [Mode.VOICE.value]

    def loses(self, wanted: Sequence[str]) -> bool:
        """Whether a wanted video falls away."""
        return self.spent and Mode.VIDEO in wanted


async def place(connection: AsyncConnection, conversation_id: uuid.UUID, caps: Caps | None = None) -> Place | None:
    """The next place of the conversation, whose row is locked from then on; None where there is no such conversation.

    A count is exact where the row was locked by an earlier statement: this one counts what was there when it began.
    Raises QueueFull, TooManyOpen; then nothing has changed.
    """
    caps = caps or Caps()
    given = _parameters(conversation_id, caps)
    row = (await connection.execute(_place(*_named(caps)), given)).one_or_none()
    if row is not None:
        return Place(row.last_seq, row.fair_at, row.spent)
    if caps.queue or caps.open:
        await check(connection, caps, conversation_id)
    return None


async def check(connection: AsyncConnection, caps: Caps, conversation_id: uuid.UUID | None = None) -> None:
    """Raises what `place` would: QueueFull, TooManyOpen (of a conversation alone)."""
    if conversation_id is not None and caps.open:
        known = {"conversation": conversation_id, "counted": caps.open}
        if int(await connection.scalar(_mine(), known) or 0) >= caps.open:
            raise TooManyOpen(number=caps.open)
    if caps.queue and await connection.scalar(_last_place(), {"before": caps.queue - 1}) is not None:
        raise QueueFull


def _parameters(conversation_id: uuid.UUID, caps: Caps) -> dict[str, Any]:
    given: dict[str, Any] = {"conversation": conversation_id, "counted": max(COUNTED, caps.open)}
    if caps.queue:
        given["before"] = caps.queue - 1
    if caps.open:
        given["open"] = caps.open
    if caps.video_s:
        given["video_s"] = caps.video_s
    return given


def _named(caps: Caps) -> tuple[bool, bool, bool]:
    return bool(caps.queue), bool(caps.open), bool(caps.video_s)


@cache
def _place(queue: bool, most: bool, video: bool) -> Executable:
    """Built once a kind of caps: building takes longer than executing."""
    mine = _mine().subquery("mine")
    number = mine.c.number
    spaced = func.greatest(func.now(), func.coalesce(Conversation.fair_at, func.now()) + timedelta(seconds=FAIR_S))
    # What of the conversation has been answered meanwhile leaves its places to the rest.
    furthest = func.now() + number * timedelta(seconds=FAIR_S)
    conditions: list[ColumnElement[bool]] = [Conversation.id == mine.c.whose]
    if most:
        conditions.append(number < bindparam("open", type_=Integer))
    if queue:
        conditions.append(_last_place().scalar_subquery().is_(None))
    return (
        update(Conversation)
        .where(*conditions)
        .values(last_seq=Conversation.last_seq + 1, fair_at=func.least(spaced, furthest))
        .returning(Conversation.last_seq, Conversation.fair_at, (_spent() if video else false()).label("spent"))
    )


def _mine() -> Any:
    """Open turns of the conversation; one that a correction replaces no longer counts."""
    open_turns = (
        select(literal(1))
        .where(
            Turn.conversation_id == bindparam("conversation", type_=Uuid),
            is_in(Turn.state, *BEFORE_RENDERED),
            Turn.superseded_by.is_(None),
        )
        .limit(bindparam("counted", type_=Integer))
        .subquery()
    )
    whose = bindparam("conversation", type_=Uuid)
    return select(func.count().label("number"), whose.label("whose")).select_from(open_turns)


def _last_place() -> Any:
    """Something where the queue has its most; `before`: one less than that."""
    taken = select(literal(1)).where(is_in(Turn.state, *BEFORE_RENDERED))
    return taken.offset(bindparam("before", type_=Integer)).limit(1)


def _spent() -> ColumnElement[bool]:
    filmed: ScalarSelect[Any] = (
        select(func.coalesce(func.sum(cast(Turn.video["seconds"].astext, Float)), 0.0))
        .where(
            Turn.conversation_id == bindparam("conversation", type_=Uuid),
            Turn.video.is_not(None),
            Turn.rendered_at >= _midnight(),
        )
        .scalar_subquery()
    )
    return filmed >= bindparam("video_s", type_=Float)


def _midnight() -> ColumnElement[datetime]:
    """When the day began, UTC, by the database's clock."""
    return func.date_trunc("day", func.now(), "UTC", type_=Turn.created_at.type)
