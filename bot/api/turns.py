"""Turns and conversations: look, and cancel."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends
from starlette.responses import JSONResponse

from bot.api.schemas import ERRORS, ConversationOut, TurnOut
from bot.api.views import conversation_object, turn_object, turn_objects
from bot.channels.web.receive import checked_uuid
from bot.services import Services, services
from core.errors import NotFound, QueueUnavailable
from core.states import TurnState
from db import endings, views

router = APIRouter(prefix="/api/v1", tags=["turns"], responses=ERRORS)

CANCEL_S, CANCEL_POLL_S = 2.5, 0.2
TELL_S = 0.5

Shared = Annotated[Services, Depends(services)]


@router.get("/turns/{turn_id}", response_model=TurnOut)
async def get_turn(turn_id: str, services: Shared) -> JSONResponse:
    """The turn as far as it is."""
    return JSONResponse(await turn_object(services, await _row(services, checked_uuid(turn_id))))


@router.delete("/turns/{turn_id}", response_model=TurnOut, responses={202: {"model": TurnOut}})
async def cancel_turn(turn_id: str, services: Shared) -> JSONResponse:
    """Cancels: 200 with the turn when it has ended, 202 when its worker was asked and has not answered yet."""
    known = checked_uuid(turn_id)
    await _row(services, known)
    state = await endings.cancel(services.database, known)
    row = await _row(services, known)
    await _tell(services, row, ask=state is TurnState.RUNNING)
    if state is TurnState.RUNNING:
        row = await _ended(services, row)
    return JSONResponse(await turn_object(services, row), 202 if row["state"] == TurnState.RUNNING else 200)


@router.get("/conversations/{conversation_id}", response_model=ConversationOut)
async def get_conversation(conversation_id: str, services: Shared) -> JSONResponse:
    """The conversation's choices and its newest 100 turns."""
    found = await views.conversation(services.database, checked_uuid(conversation_id))
    if found is None:
        raise NotFound("no such conversation", message_id="error-no-conversation")
    row, rows = found
    return JSONResponse(conversation_object(row, await turn_objects(services, rows)))


async def _row(services: Services, turn_id: UUID) -> Mapping[str, Any]:
    row = await views.turn(services.database, turn_id)
    if row is None:
        raise NotFound("no such turn", message_id="error-no-turn")
    return row


async def _tell(services: Services, row: Mapping[str, Any], *, ask: bool) -> None:
    """The word to cancel is in the database too, where the holder finds it when it renews its lease."""
    with suppress(QueueUnavailable, TimeoutError):
        async with asyncio.timeout(TELL_S):
            if ask:
                await services.queue.ask_cancel(row["id"])
            else:
                await services.queue.tell(row["conversation_id"], row["id"])
                await services.queue.ring_render(row["id"])


async def _ended(services: Services, row: Mapping[str, Any]) -> Mapping[str, Any]:
    """The turn's row once it runs no more, at the latest after CANCEL_S."""
    until = time.monotonic() + CANCEL_S
    with services.hub.page(str(row["conversation_id"])) as changes:
        while row["state"] == TurnState.RUNNING and time.monotonic() < until:
            await changes.changed(CANCEL_POLL_S)
            row = await _row(services, row["id"])
    return row
