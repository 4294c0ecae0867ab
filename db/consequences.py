"""What else must be written when a row of the outbox is settled, in the same transaction.

Locks are taken in one order by everybody: the conversation, rows of the outbox, turns.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from sqlalchemy import Executable, Uuid, bindparam, case, cast, func, literal, or_, select, tuple_, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.orm import aliased

from core.errors import Unreachable, WindowClosed
from core.i18n import t
from core.kinds import DEFAULT_LANGUAGE
from core.states import OutboxState, TurnEvent, TurnState, sources
from core.text.parts import split_text
from db.endings import UNWANTED
from db.models import Contact, Conversation, OutboxRow, Turn
from db.turns import outbox_rows

Admins = Collection[tuple[str, str]]
"""(channel, the person's id there) of each administrator."""

HELD_NOTICE = "held:"
"""How the keys of notices about held rows begin; nobody is told that such a notice is held."""
NOTICE_S = 3600
"""An administrator is told of a conversation once in so long."""
IN_DOUBT = "notice-in-doubt"
_PASSING = ("notice-wait", IN_DOUBT)
"""How the ids of notices begin that nobody misses: the answer comes after them, or they are about another row."""
_LOST = (OutboxState.FAILED, OutboxState.HELD)
_PROVEN = ("wa_id", "user_id")
"""Addresses that the platform gives a person; others, a user name among them, people choose themselves."""


@dataclass
class Consequences:
    """rings: other conversations that have something to send now. cancels: running turns whose holder must stop."""

    rings: list[uuid.UUID] = field(default_factory=list)
    cancels: list[uuid.UUID] = field(default_factory=list)


async def lock(connection: AsyncConnection, conversation_id: uuid.UUID) -> Mapping[str, Any] | None:
    """The conversation's row, before any row of its outbox is written; None where it is gone."""
    found = (await connection.execute(_lock(), {"conversation": conversation_id})).mappings().one_or_none()
    return None if found is None else dict(found)


@cache
def _lock() -> Executable:
    """Built once: building takes longer than executing."""
    row = select(*Conversation.__table__.columns).where(Conversation.id == bindparam("conversation", type_=Uuid))
    return row.with_for_update(key_share=True)


async def follow(
    connection: AsyncConnection,
    row: Mapping[str, Any],
    state: OutboxState,
    code: str | None,
    *,
    admins: Admins,
    text_length: int | None,
) -> Consequences:
    """What follows from a row that ended as `state` with an error of that code.

    failed, unreachable: nothing more is sent, open turns are cancelled. failed otherwise: a voice note or video of a
    turn steps down. held: administrators are told. unknown: the person is told. The conversation's row is locked.
    """
    if state is OutboxState.UNKNOWN:
        await doubt(connection, row)
    if state is OutboxState.FAILED and code == Unreachable.code:
        return await _unreachable(connection, row["conversation_id"])
    if state is OutboxState.FAILED and row["turn_id"] is not None and row["kind"] in ("voice", "video"):
        await _step_down(connection, row, text_length)
    if state is OutboxState.HELD and code == WindowClosed.code:
        return await _held(connection, row, admins)
    return Consequences()


async def doubt(connection: AsyncConnection, row: Mapping[str, Any]) -> None:
    """Whether the row arrived is hidden for good: the person is told, once a turn, to ask again if it did not."""
    if row["kind"] == "notice" and str(row["payload"].get("id", "")).startswith(_PASSING):
        return
    found = await connection.execute(
        select(func.coalesce(Turn.answer_language, Conversation.language, Conversation.hint), Turn.state)
        .select_from(Conversation)
        .outerjoin(Turn, Turn.id == row["turn_id"])
        .where(Conversation.id == row["conversation_id"])
    )
    spoken, state = found.one()
    if state in UNWANTED:
        return
    language = spoken or DEFAULT_LANGUAGE
    about = row["turn_id"] or row["id"]
    notice = {
        "conversation_id": row["conversation_id"],
        "turn_id": row["turn_id"],
        "turn_seq": row["turn_seq"],
        "kind": "notice",
        "payload": {"text": t(IN_DOUBT, language), "language": language, "id": IN_DOUBT},
        "reply_to": row["reply_to"],
        "dedupe_key": f"doubt:{about}",
    }
    await connection.execute(upsert(OutboxRow).values(notice).on_conflict_do_nothing(index_elements=["dedupe_key"]))


async def _unreachable(connection: AsyncConnection, conversation_id: uuid.UUID) -> Consequences:
    await connection.execute(update(Conversation).where(Conversation.id == conversation_id).values(reachable=False))
    await connection.execute(
        update(OutboxRow)
        .where(OutboxRow.conversation_id == conversation_id, OutboxRow.state == OutboxState.PENDING)
        .values(state=OutboxState.FAILED, error={"code": Unreachable.code}, settled_at=func.now())
    )
    running = Turn.state == TurnState.RUNNING
    cancelled = await connection.execute(
        update(Turn)
        .where(Turn.conversation_id == conversation_id, Turn.state.in_(sources(TurnEvent.CANCEL)))
        .values(
            cancel_requested=True,
            state=case((running, Turn.state), else_=TurnState.CANCELLED.value),
            ended_at=case((running, None), else_=func.now()),
        )
        .returning(Turn.id, Turn.state)
    )
    return Consequences(cancels=[turn.id for turn in cancelled if turn.state == TurnState.RUNNING])


async def _step_down(connection: AsyncConnection, row: Mapping[str, Any], text_length: int | None) -> None:
    """The answer goes out as the best that is left: the voice note that is sent anyway, else its text.

    A voice note that fails leaves the video, where one is sent or still made.
    """
    found = await connection.execute(
        select(
            *Turn.__table__.columns,
            func.coalesce(Turn.answer_language, Conversation.language, Conversation.hint).label("spoken"),
        )
        .join(Conversation, Conversation.id == Turn.conversation_id)
        .where(Turn.id == row["turn_id"])
    )
    turn = dict(found.mappings().one())
    if turn["answer"] is None or turn["state"] in UNWANTED or turn["cancel_requested"]:
        return
    alive = await connection.execute(
        select(OutboxRow.kind).where(
            OutboxRow.turn_id == turn["id"], OutboxRow.id != row["id"], OutboxRow.state.not_in(_LOST)
        )
    )
    left = set(alive.scalars())
    if row["kind"] == "voice" and ("video" in left or _video_to_come(turn)):
        return
    await _add(connection, turn, "voice" if "voice" in left else "text", text_length)


def _video_to_come(turn: Mapping[str, Any]) -> bool:
    return "video" in turn["modes"] and turn["state"] == TurnState.RUNNING


async def _add(connection: AsyncConnection, turn: Mapping[str, Any], step: str, text_length: int | None) -> None:
    """The notice and, for a step to text, the answer, whose keys are those of the rows that the answer itself has."""
    language = turn["spoken"] or DEFAULT_LANGUAGE
    message_id = f"notice-step-{step}"
    notice = {"text": t(message_id, language), "language": language, "id": message_id}
    rows: list[dict[str, Any]] = [{"kind": "notice", "part": 1 if step == "voice" else 2, "payload": notice}]
    if step == "text":
        rows += [
            {"kind": "text", "part": number, "payload": {"text": part, "language": language}}
            for number, part in enumerate(split_text(turn["answer"], text_length))
        ]
    await connection.execute(
        upsert(OutboxRow).on_conflict_do_nothing(index_elements=["dedupe_key"]), outbox_rows(turn, rows)
    )


async def _held(connection: AsyncConnection, row: Mapping[str, Any], admins: Admins) -> Consequences:
    """The window is known to be closed from now on, and each administrator who has a conversation is told."""
    shut = func.least(func.coalesce(Conversation.window_expires_at, func.now()), func.now())
    await connection.execute(
        update(Conversation).where(Conversation.id == row["conversation_id"]).values(window_expires_at=shut)
    )
    if not admins or row["dedupe_key"].startswith(HELD_NOTICE):
        return Consequences()
    found = await connection.execute(
        select(Conversation.channel, Conversation.external_chat_id, Contact.display_name)
        .join(Contact, Contact.id == Conversation.contact_id)
        .where(Conversation.id == row["conversation_id"])
    )
    whom = found.one()
    said = {"person": whom.display_name or whom.external_chat_id, "channel": whom.channel.capitalize()}
    told = [_notice(row, each, said) for each in await _administrators(connection, row["conversation_id"], admins)]
    if not told:
        return Consequences()
    added = await connection.execute(
        upsert(OutboxRow)
        .values(told)
        .on_conflict_do_nothing(index_elements=["dedupe_key"])
        .returning(OutboxRow.conversation_id)
    )
    return Consequences(rings=list(added.scalars()))


def _notice(row: Mapping[str, Any], administrator: Any, said: Mapping[str, str]) -> dict[str, Any]:
    language = administrator.spoken or DEFAULT_LANGUAGE
    hour = int(time.time() // NOTICE_S)
    return {
        "conversation_id": administrator.id,
        "kind": "notice",
        "payload": {"text": t("notice-held", language, **said), "language": language, "id": "notice-held"},
        "dedupe_key": f"{HELD_NOTICE}{row['conversation_id']}:{administrator.id}:{hour}",
    }


async def _administrators(connection: AsyncConnection, but: uuid.UUID, admins: Admins) -> list[Any]:
    """Conversations of administrators, found by an id that the platform gives the person."""
    known: list[Any] = [Contact.external_id, Conversation.external_chat_id]
    known += [func.ltrim(Conversation.addresses[name].astext, "+") for name in _PROVEN]
    named = [tuple_(Conversation.channel, column).in_(list(admins)) for column in known]
    found = await connection.execute(
        select(Conversation.id, func.coalesce(Conversation.language, Conversation.hint).label("spoken"))
        .join(Contact, Contact.id == Conversation.contact_id)
        .where(or_(*named), Conversation.reachable, ~Conversation.is_group, Conversation.id != but)
    )
    return list(found)


async def learn(connection: AsyncConnection, conversation_id: uuid.UUID, learned: Mapping[str, Any]) -> None:
    """What a channel has learned of a chat is kept as its traits; `moved_to` is its new name, kept as a trait only
    where another conversation has that name. The conversation's row is locked."""
    traits = dict(learned)
    moved = traits.pop("moved_to", None)
    if moved is not None and not await _rename(connection, conversation_id, str(moved)):
        traits["moved_to"] = str(moved)
    if traits:
        merged = Conversation.traits.op("||")(cast(traits, Conversation.traits.type))
        await connection.execute(update(Conversation).where(Conversation.id == conversation_id).values(traits=merged))


async def _rename(connection: AsyncConnection, conversation_id: uuid.UUID, new: str) -> bool:
    """The chat, and in a group the contact that stands for it."""
    try:
        async with connection.begin_nested():
            renamed = await connection.execute(
                update(Conversation)
                .where(Conversation.id == conversation_id)
                .values(external_chat_id=new)
                .returning(Conversation.contact_id, Conversation.is_group, Conversation.channel, Conversation.account)
            )
            row = renamed.one()
            if row.is_group:
                other = aliased(Contact)
                taken = select(literal(1)).where(
                    other.channel == row.channel, other.account == row.account, other.external_id == new
                )
                await connection.execute(
                    update(Contact).where(Contact.id == row.contact_id, ~taken.exists()).values(external_id=new)
                )
    except IntegrityError:
        return False
    return True
