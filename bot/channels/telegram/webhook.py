"""`POST /webhooks/telegram`: one update a call, answered when it is stored."""

from __future__ import annotations

import asyncio
import hmac
import json
from typing import Any, Final

from fastapi import Request
from starlette.requests import ClientDisconnect
from starlette.responses import Response

from bot.channels.base import Take
from bot.channels.telegram.parse import Parser
from core.errors import SurroundingsError
from core.logging import get_logger

log = get_logger("bot.channels.telegram")

MAX_BODY: Final = 1024 * 1024
"""An update has some kilobytes."""
READ_S: Final = 20.0
HEADER: Final = "x-telegram-bot-api-secret-token"


class Webhook:
    """The route's endpoint."""

    def __init__(self, secret: str, parser: Parser, take: Take) -> None:
        self._secret = secret.encode()
        self._parser = parser
        self._take = take

    async def receive(self, request: Request) -> Response:
        """401 and 403 before anything is read; 200 for what can't be read, else it would come again for days.

        A secret that comes twice is refused: nobody knows which of the two whoever stands before us has looked at.
        """
        given = request.headers.getlist(HEADER)
        if not given:
            return Response(status_code=401)
        if not hmac.compare_digest("\n".join(given).encode(), self._secret):
            log.warning("telegram_wrong_secret")
            return Response(status_code=403)
        try:
            async with asyncio.timeout(READ_S):
                update = _parsed(await _body(request))
        except TimeoutError:
            return Response(status_code=408)
        except ClientDisconnect:
            return Response(status_code=400)
        return Response(status_code=200 if update is None else await self._stored(update))

    async def _stored(self, update: Any) -> int:
        """With 503 Telegram sends it again."""
        events = self._parser.events(update)
        try:
            if events:
                await self._take(events)
        except SurroundingsError as error:
            log.warning("telegram_not_stored", code=error.code, reason=str(error))
            return 503
        return 200


async def _body(request: Request) -> bytes | None:
    """None where it is larger than an update can be."""
    declared = request.headers.get("content-length", "")
    if declared.isdecimal() and int(declared[:20]) > MAX_BODY:
        return None
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY:
            return None
    return bytes(body)


def _parsed(body: bytes | None) -> Any:
    """None where it is no JSON."""
    try:
        update = None if body is None else json.loads(body)
    except (ValueError, RecursionError):
        update = None
    if update is None:
        log.warning("telegram_body_unreadable", bytes=None if body is None else len(body))
    return update
