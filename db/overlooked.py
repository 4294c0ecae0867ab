"""Rows that go out later than they were meant to: shut out by a window, left by a dead sender, rung for by nobody.

A row that the platform's window shut out is `held`. When the person writes again, what is held of the newest such turn
goes out, ahead of the new answer, if it was made within RELEASE_S: the person asked for it and has not seen it. Older
answers are stale, and so are replies to commands: they stay held.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection
from datetime import timedelta
from functools import cache

from sqlalchemy import ColumnElement, Executable, Uuid, and_, bindparam, case, cast, func, literal, select, update
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import aliased

from core.errors import WindowClosed
from core.states import OPEN, OutboxState, TurnState
from db.consequences import doubt, lock
from db.endings import UNWANTED, hold_unwanted
from db.models import Conversation, OutboxRow, Turn
from db.outbox import repeated, sendable
from db.sessions import Database

RELEASE_S = 24 * 3600.0
STATUS_S = 15.0
"""So long a platform that tells what became of a message has the word, before it is sent once more."""


async def release(database: Database, conversation_id: uuid.UUID) -> int:
    """What is held of the newest turn that the window shut out may be sent again, where it is open now; how many.

    What is held of older ones is marked as stale, so that it never goes out after a newer answer.
    """
    async with database.begin() as connection:
        if await connection.scalar(_newest_held(), {"conversation": conversation_id}) is None:
            return 0
        await lock(connection, conversation_id)
        turn_id = await connection.scalar(_newest_held(), {"conversation": conversation_id})
        if turn_id is None:
            return 0
        older = select(Turn.id).where(Turn.conversation_id == conversation_id, Turn.id != turn_id)
        stale = cast({"code": WindowClosed.code, "stale": True}, JSONB)
        await connection.execute(update(OutboxRow).where(OutboxRow.turn_id.in_(older), _shut_out()).values(error=stale))
        done = await connection.execute(
            update(OutboxRow)
            .where(OutboxRow.turn_id == turn_id, _shut_out())
            .values(state=OutboxState.PENDING, error=None, settled_at=None, not_before=func.now())
        )
    return int(done.rowcount)


def _shut_out() -> ColumnElement[bool]:
    why = OutboxRow.error
    return and_(OutboxRow.state == OutboxState.HELD, why["code"].astext == WindowClosed.code, ~why.has_key("stale"))


@cache
def _newest_held() -> Executable:
    made = func.coalesce(Turn.ended_at, Turn.rendered_at, func.now())
    return (
        select(Turn.id)
        .join(OutboxRow, OutboxRow.turn_id == Turn.id)
        .join(Conversation, Conversation.id == Turn.conversation_id)
        .where(
            Turn.conversation_id == bindparam("conversation", type_=Uuid),
            Turn.state.not_in(UNWANTED),
            Conversation.window_expires_at > func.now(),
            made > func.now() - timedelta(seconds=RELEASE_S),
            _shut_out(),
        )
        .order_by(Turn.seq.desc())
        .limit(1)
    )


async def recover(
    database: Database, owner: str | None = None, tracked: Collection[str] = ()
) -> dict[uuid.UUID, float]:
    """Rows whose sender died inside the send call: sent once more, marked as a repetition; a second time `unknown`, of
    which the person is told.

    owner: a dead process of this name, whose leases need not run out first. tracked: channels whose platform has
    STATUS_S to say what became of the first. The conversations, each with the seconds until it has something to send.
    """
    dead = OutboxRow.lease_until < func.now() if owner is None else OutboxRow.lease_owner == owner
    values = {"lease_owner": None, "lease_until": None}
    waits = OutboxRow.conversation_id.in_(select(Conversation.id).where(Conversation.channel.in_(tracked)))
    async with database.begin() as connection:
        again = await connection.execute(
            update(OutboxRow)
            .where(OutboxRow.state == OutboxState.SENDING, dead, ~OutboxRow.payload.has_key("repeated"))
            .values(
                state=OutboxState.PENDING,
                payload=repeated(),
                not_before=case((waits, func.now() + timedelta(seconds=STATUS_S)), else_=func.now()),
                **values,
            )
            .returning(OutboxRow.id, OutboxRow.conversation_id, (OutboxRow.not_before > func.now()).label("later"))
        )
        freed = again.all()
        if freed:
            await hold_unwanted(connection, [row.id for row in freed])
        lost = await connection.execute(
            update(OutboxRow)
            .where(OutboxRow.state == OutboxState.SENDING, dead)
            .values(state=OutboxState.UNKNOWN, settled_at=func.now(), **values)
            .returning(*OutboxRow.__table__.columns)
        )
        found = {row.conversation_id: STATUS_S if row.later else 0.0 for row in freed}
        for row in lost.mappings().all():
            await doubt(connection, dict(row))
            found[row["conversation_id"]] = 0.0
        return found


async def undelivered(database: Database, *, without: Collection[str] = (), limit: int = 500) -> list[uuid.UUID]:
    """Conversations with something to send now, or with a rendered turn that nobody has ended yet, oldest first.

    without: channels on which nothing can be sent.
    """
    still_open = select(literal(1)).where(OutboxRow.turn_id == Turn.id, OutboxRow.state.in_(OPEN))
    rendered = select(Turn.conversation_id, Turn.rendered_at.label("since")).where(
        Turn.state == TurnState.RENDERED, ~still_open.exists()
    )
    row = aliased(OutboxRow, name="sendable")
    pending = select(row.conversation_id, row.not_before.label("since")).where(sendable(row))
    waiting = rendered.union_all(pending).subquery()
    asked = (
        select(waiting.c.conversation_id)
        .join(Conversation, Conversation.id == waiting.c.conversation_id)
        .where(Conversation.channel.not_in(list(without)))
        .group_by(waiting.c.conversation_id)
        .order_by(func.min(waiting.c.since))
        .limit(limit)
    )
    async with database.begin() as connection:
        return list((await connection.execute(asked)).scalars())
