"""The queue: pause, resume, look at a turn, cancel it, ask a failed one's message again."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func
from sqlalchemy.ext.asyncio import AsyncConnection

from core.errors import Conflict, NotFound
from core.states import TurnState
from core.storage import Storage
from db import admin, audit, endings, letters, switches
from db.letters import Letter


@dataclass(frozen=True)
class Again:
    """The new turn; fetch: its recording must be fetched first."""

    id: uuid.UUID
    conversation_id: uuid.UUID
    fetch: bool


@dataclass(frozen=True)
class Cancelled:
    """running: its holder is to be asked to stop."""

    id: uuid.UUID
    conversation_id: uuid.UUID
    running: bool


async def pause(connection: AsyncConnection, *, actor: str) -> bool:
    """No turn begins from now on; whether that is new. What is running goes on."""
    if await switches.get(connection, switches.PAUSED) is not None:
        return False
    await switches.turn_on(connection, switches.PAUSED)
    await audit.write(connection, actor, "pause")
    return True


async def resume(connection: AsyncConnection, *, actor: str) -> bool:
    """Whether it was paused; then ring for what waits."""
    if await switches.get(connection, switches.PAUSED) is None:
        return False
    await switches.turn_off(connection, switches.PAUSED)
    await audit.write(connection, actor, "resume")
    return True


async def cancel(connection: AsyncConnection, *, actor: str, turn: str) -> Cancelled:
    """turn: the beginning of its id. Raises NotFound, Conflict where it has ended."""
    row = await _named(connection, turn)
    state = await endings.cancel_within(connection, row["id"])
    if state not in (TurnState.RUNNING, TurnState.CANCELLED) or row["state"] == TurnState.CANCELLED:
        raise Conflict("it has ended", message_id="error-turn-ended", turn=_short(row))
    await audit.write(connection, actor, "cancel", str(row["id"]))
    return Cancelled(row["id"], row["conversation_id"], state is TurnState.RUNNING)


async def look(connection: AsyncConnection, *, turn: str) -> Letter:
    """turn: the beginning of its id. Raises NotFound, Conflict."""
    return await letters.read(connection, (await _named(connection, turn))["id"])


async def retry(connection: AsyncConnection, storage: Storage, *, actor: str, turn: str) -> Again:
    """The message of a failed turn as a new one. Raises NotFound, Conflict where it has not failed, was asked again, or
    its recording is gone."""
    row = await _named(connection, turn)
    if row["state"] != TurnState.FAILED or row["superseded_by"] is not None:
        raise Conflict("it has not failed", message_id="error-turn-not-failed", turn=_short(row))
    columns = _input(storage, row)
    new = await admin.again(connection, row, **columns)
    if new is None:
        raise Conflict("it was asked again", message_id="error-turn-not-failed", turn=_short(row))
    await audit.write(connection, actor, "retry", str(row["id"]), turn=str(new))
    return Again(new, row["conversation_id"], columns["state"] is TurnState.RECEIVED)


def _input(storage: Storage, row: Mapping[str, Any]) -> dict[str, Any]:
    """What was understood needs no recording; one that is not here is fetched again."""
    said = row["input_text"] if row["input_text"] is not None else row["transcript"]
    if said:
        return {"state": TurnState.QUEUED, "input_text": said, "queued_at": func.now()}
    kept = row["input_media"] is not None and row["media_removed_at"] is None
    if kept and storage.path(row["input_media"]).is_file():
        return {"state": TurnState.QUEUED, "input_media": row["input_media"], "queued_at": func.now()}
    if row["input_remote"] is not None:
        return {"state": TurnState.RECEIVED, "input_remote": row["input_remote"]}
    raise Conflict("its recording is gone", message_id="error-turn-gone", turn=_short(row))


async def _named(connection: AsyncConnection, turn: str) -> Mapping[str, Any]:
    found = await admin.turns_named(connection, turn)
    if len(found) > 1:
        raise Conflict("two turns begin so", message_id="error-turn-ambiguous", turn=turn[:36])
    if not found:
        raise NotFound("no such turn", message_id="error-turn-unknown", turn=turn[:36])
    return found[0]


def _short(row: Mapping[str, Any]) -> str:
    return str(row["id"])[: admin.SHORT]
