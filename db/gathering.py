"""Texts that a person types in quick succession are one question: each takes the one before it along.

A text waits `wait_s` for another. The turn of the one before ends as `merged` and keeps its own words; the newer turn
is asked all of them, a line each. A turn's `gathered` tells whose the words are: {"parts": [{"message_id", "length"},
…]} in the order of the lines, `length` in characters; while more may come also "sender" (the contact's id) and "since"
(when the first text came, ISO 8601).
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from sqlalchemy import Executable, Uuid, bindparam, func, literal, select, true, update
from sqlalchemy.ext.asyncio import AsyncConnection

from core.messages import MAX_TEXT
from core.states import TRANSITIONS, TurnEvent, TurnState, sources
from db.endings import hold_unsent, lock_outbox
from db.entering import Entry
from db.models import Turn
from db.parts import Parts, Words

TEXTS = 5
"""One question has at most so many, and they come within so many waits: who goes on typing gets an answer meanwhile."""


@dataclass(frozen=True)
class _Former:
    """The newest turn of the conversation, and the time of the database."""

    now: datetime
    row: Mapping[str, Any]


async def gather(entry: Entry, said: str, turn_id: uuid.UUID, wait_s: float) -> Words:
    """Of the new turn of a text, which waits for more; the turn before it is merged into it where both are one
    question."""
    inbound = entry.inbound
    if not wait_s or inbound.quotes:
        return Words({"input_text": said})
    former = await _former(entry)
    own = Parts.of(inbound.message_id, said)
    since, parts = former.now.isoformat(), own
    before = _gatherable(entry, former, own, timedelta(seconds=wait_s))
    if merged := before is not None and await _merge(entry.connection, former.row, before, turn_id):
        since, parts = former.row["gathered"]["since"], before + own
    columns = {
        "input_text": parts.text,
        "gathered": {"parts": parts.named, "sender": str(entry.contact["id"]), "since": since},
        "not_before": former.now + timedelta(seconds=wait_s),
    }
    return Words(columns, replaces=merged)


async def _former(entry: Entry) -> _Former:
    row = (await entry.connection.execute(_newest(), {"conversation": entry.conversation["id"]})).mappings().one()
    return _Former(row["now"], dict(row))


@cache
def _newest() -> Executable:
    """Built once: building takes longer than executing."""
    columns = (Turn.id, Turn.seq, Turn.state, Turn.attempts, Turn.input_text, Turn.gathered, Turn.created_at)
    newest = (
        select(*columns)
        .where(Turn.conversation_id == bindparam("conversation", type_=Uuid))
        .order_by(Turn.seq.desc())
        .limit(1)
        .subquery()
    )
    one = select(literal(1)).subquery()
    return select(func.now().label("now"), *newest.c).select_from(one.outerjoin(newest, true()))


def _gatherable(entry: Entry, former: _Former, own: Parts, wait: timedelta) -> Parts | None:
    """The words of the turn before, where they and the new ones are one question."""
    row, gathered = former.row, former.row["gathered"]
    if gathered is None or "since" not in gathered or gathered["sender"] != str(entry.contact["id"]):
        return None
    since = datetime.fromisoformat(gathered["since"])
    if former.now - row["created_at"] > wait or former.now - since > wait * TEXTS:
        return None
    before = Parts.read(row["input_text"], gathered["parts"])
    together = before + own
    return before if len(together.lines) <= TEXTS and len(together.text) <= MAX_TEXT else None


async def _merge(connection: AsyncConnection, row: Mapping[str, Any], words: Parts, by: uuid.UUID) -> bool:
    """False where its answer is begun already. What was merged into it is merged into the newer one."""
    await lock_outbox(connection, row["id"])
    done = await connection.execute(
        update(Turn)
        .where(Turn.id == row["id"], Turn.state.in_(sources(TurnEvent.MERGE)), Turn.attempts == 0)
        .values(
            state=TRANSITIONS[TurnState.QUEUED, TurnEvent.MERGE],
            merged_into=by,
            ended_at=func.now(),
            input_text=words.lines[-1].text,
            gathered=None,
        )
        .returning(Turn.conversation_id)
    )
    conversation_id = done.scalar_one_or_none()
    if conversation_id is None:
        return False
    await hold_unsent(connection, row["id"])
    if len(words.lines) > 1:
        await connection.execute(
            update(Turn)
            .where(
                Turn.conversation_id == conversation_id,
                Turn.seq.between(row["seq"] - TEXTS, row["seq"]),
                Turn.merged_into == row["id"],
            )
            .values(merged_into=by)
        )
    return True
