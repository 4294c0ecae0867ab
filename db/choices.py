"""Avatars and voices that conversations have chosen, and what becomes of the choice when one is removed."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from sqlalchemy import Text, cast, func, select, update
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection

from core.states import BEFORE_RENDERED, TaskState, TurnState
from db.models import Audit, Conversation, Task, Turn

RESERVING = 0x736D_7274
"""The advisory lock under which ids of avatars and voices are given out."""
_TO_COME = (*BEFORE_RENDERED, TurnState.FAILED)
"""Turns that may yet begin, begin anew, or be asked again."""


OPEN_TASKS = (TaskState.QUEUED, TaskState.RUNNING)
VOICE_TASKS = ("voice", "transcript")
PRIVATE = ("words", "name")
"""Of the audit's details on a voice: the declaration of consent, in which the speaker may be named, and the names."""


async def clear_avatars(connection: AsyncConnection) -> int:
    """Every conversation has the default avatar again; how many had another."""
    cleared = await connection.execute(update(Conversation).where(Conversation.avatar.is_not(None)).values(avatar=None))
    return int(cleared.rowcount)


async def choose_avatar(connection: AsyncConnection, conversations: Sequence[uuid.UUID], avatar: str) -> int:
    """How many conversations there were."""
    chosen = await connection.execute(
        update(Conversation).where(Conversation.id.in_(conversations)).values(avatar=avatar)
    )
    return int(chosen.rowcount)


async def forget_avatar(connection: AsyncConnection, avatar: str, instead: str) -> int:
    """Conversations fall back to the default, turns to come to `instead`; how many conversations did."""
    fallen = await connection.execute(update(Conversation).where(Conversation.avatar == avatar).values(avatar=None))
    waiting = (Turn.avatar == avatar, Turn.state.in_(_TO_COME))
    await connection.execute(update(Turn).where(*waiting).values(avatar=instead))
    return int(fallen.rowcount)


async def forget_voice(connection: AsyncConnection, voice: str) -> int:
    """Conversations and turns to come speak with their avatar's own voice; how many conversations do. Of the work on it
    that has ended and of who began it no row keeps names, words or files."""
    fallen = await connection.execute(update(Conversation).where(Conversation.voice == voice).values(voice=None))
    await connection.execute(update(Turn).where(Turn.voice == voice, Turn.state.in_(_TO_COME)).values(voice=None))
    ended = (Task.kind.in_(VOICE_TASKS), Task.payload["id"].astext == voice, Task.state.not_in(OPEN_TASKS))
    kept = func.jsonb_build_object("act", Task.payload["act"], "id", Task.payload["id"])
    await connection.execute(update(Task).where(*ended).values(payload=kept))
    acts = (Audit.target == voice, Audit.act.startswith("voice-", autoescape=True))
    await connection.execute(
        update(Audit).where(*acts).values(details=Audit.details.op("-")(cast(PRIVATE, ARRAY(Text))))
    )
    return int(fallen.rowcount)


async def reserved(connection: AsyncConnection, kind: str) -> set[str]:
    """Ids that tasks of the kind ("avatar", "voice") are about to use; nobody else learns them until the transaction
    ends."""
    await connection.execute(select(func.pg_advisory_xact_lock(RESERVING)))
    open_tasks = (Task.kind == kind, Task.state.in_(OPEN_TASKS))
    rows = await connection.execute(select(Task.payload["id"].astext).where(*open_tasks))
    return set(rows.scalars())
