"""WS /api/v1/ws/{conversation_id}: turn objects as they change."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from fastapi import APIRouter, WebSocket, WebSocketDisconnect

from bot.api.views import turn_object
from bot.channels.web.receive import checked_uuid
from bot.hub import Subscription
from bot.services import Services, socket_services
from core.errors import DatabaseUnavailable, NotFound
from core.states import ENDS
from db import views

router = APIRouter()

UNKNOWN, TRY_AGAIN = 4404, 1013
NEWEST = 20
"""Turns of the conversation that a page is told of."""
PAUSE_S = 0.03
"""Between two looks, so that a stream of words is not a query each."""


@router.websocket("/api/v1/ws/{conversation_id}")
async def follow(socket: WebSocket, conversation_id: str) -> None:
    """What was said before first (unfinished turns, else the last), then each change. Takes no messages."""
    services = socket_services(socket)
    await socket.accept()
    try:
        known = checked_uuid(conversation_id)
        with services.hub.page(str(known)) as subscription:
            await _until_closed(socket, _Page(socket, services, known, subscription))
    except NotFound:
        await socket.close(UNKNOWN)
    except DatabaseUnavailable:
        await socket.close(TRY_AGAIN)
    except WebSocketDisconnect:
        return


async def _until_closed(socket: WebSocket, page: _Page) -> None:
    """Runs the page and listens for the close beside it; whichever ends first ends the other."""
    follows = asyncio.create_task(page.follow())
    closes = asyncio.create_task(_closed(socket))
    done, pending = await asyncio.wait((follows, closes), return_when=asyncio.FIRST_COMPLETED)
    for task in pending:
        task.cancel()
    await asyncio.gather(*pending, return_exceptions=True)
    for task in done:
        task.result()


async def _closed(socket: WebSocket) -> None:
    while (await socket.receive())["type"] != "websocket.disconnect":
        pass


class _Page:
    """One open page: sends a turn when its object differs from what was sent last."""

    def __init__(self, socket: WebSocket, services: Services, conversation: UUID, subscription: Subscription) -> None:
        self._socket = socket
        self._services = services
        self._conversation = conversation
        self._subscription = subscription
        self._sent: dict[str, str] = {}
        """Turn → the object that was sent last, without what changes by itself."""
        self._over: set[str] = set()
        """Turns that had ended before the page came."""

    async def follow(self) -> None:
        """Raises NotFound, DatabaseUnavailable at the start; later a database that is away is waited for."""
        rows = await self._rows()
        self._over = {str(row["id"]) for row in rows if row["state"] in ENDS}
        unfinished = [row for row in rows if row["state"] not in ENDS]
        for row in unfinished or rows[-1:]:
            await self._send(row)
        while True:
            changed = await self._subscription.changed(self._services.hub.poll_s)
            try:
                for row in await (self._rows() if changed is None else self._some(changed)):
                    if str(row["id"]) not in self._over:
                        await self._send(row)
            except DatabaseUnavailable:
                self._subscription.tell(None)
                await asyncio.sleep(1.0)
            await asyncio.sleep(PAUSE_S)

    async def _rows(self) -> list[Mapping[str, Any]]:
        found = await views.conversation(self._services.database, self._conversation, limit=NEWEST)
        if found is None:
            raise NotFound("no such conversation", message_id="error-no-conversation")
        return found[1]

    async def _some(self, turn_ids: list[str]) -> list[Mapping[str, Any]]:
        """Rows of these turns, of this conversation alone."""
        rows = [await views.turn(self._services.database, UUID(turn_id)) for turn_id in turn_ids]
        return [row for row in rows if row is not None and row["conversation_id"] == self._conversation]

    async def _send(self, row: Mapping[str, Any]) -> None:
        """Sends what has changed."""
        turn = await turn_object(self._services, row)
        told = json.dumps({**turn, "eta_s": None})
        if self._sent.pop(turn["turn_id"], None) != told:
            await self._socket.send_text(json.dumps(turn, ensure_ascii=False, separators=(",", ":")))
        self._sent[turn["turn_id"]] = told
        while len(self._sent) > 2 * NEWEST:
            del self._sent[next(iter(self._sent))]
