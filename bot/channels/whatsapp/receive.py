"""From WhatsApp: Meta's webhook, checked, read whole and stored before it is answered."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from fastapi import APIRouter, Request, Response
from starlette.requests import ClientDisconnect

from bot.channels.base import Surroundings, Take
from bot.channels.whatsapp import signature
from bot.channels.whatsapp.fields import mapping
from bot.channels.whatsapp.graph import VERSION, unseen
from bot.channels.whatsapp.parse import events
from bot.channels.whatsapp.transport import GRAPH_URL, open_session
from core.errors import ChannelError, ConfigurationError, PlatformAway, SurroundingsError
from core.logging import get_logger
from core.settings import Settings

log = get_logger(__name__)

PATH = "/webhooks/whatsapp"
MAX_BODY = 3 * 1024 * 1024
"""Meta, "Webhooks": a payload has at most 3 MB."""
READ_S, CHECK_S = 20.0, 15.0
RETRY_S = 5
FIRST_WAIT_S, LONGEST_WAIT_S = 2.0, 300.0


class _Unread(Exception):
    """The body did not come, or too much of it."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


class Receiver:
    """The route. Where webhooks go is set in Meta's console, so that there is nothing to register."""

    name = "whatsapp"

    def __init__(self, surroundings: Surroundings) -> None:
        settings = surroundings.settings
        if settings.whatsapp_app_secret is None or settings.whatsapp_verify_token is None:
            raise ConfigurationError("WhatsApp needs SMARTTALKER_WHATSAPP_APP_SECRET and …_VERIFY_TOKEN")
        self._settings = settings
        self._account = settings.whatsapp_phone_id
        self._secret = settings.whatsapp_app_secret.get_secret_value()
        self._verify = settings.whatsapp_verify_token.get_secret_value()

    def routes(self, take: Take) -> APIRouter:
        """GET answers Meta's challenge; POST takes events."""
        router = APIRouter()

        async def confirm(request: Request) -> Response:
            return self._confirmed(request)

        async def hear(request: Request) -> Response:
            return await self._heard(request, take)

        router.add_api_route(PATH, confirm, methods=["GET"], response_class=Response)
        router.add_api_route(PATH, hear, methods=["POST"], response_class=Response)
        return router

    async def run(self, take: Take) -> None:
        """Says once whether the token works, for a wrong one shows itself otherwise when the first answer is sent."""
        wait_s = FIRST_WAIT_S
        while True:
            try:
                await _check(self._settings)
                log.info("whatsapp_ready", account=self._account)
                break
            except ChannelError as error:
                if error.permanent:
                    log.error("whatsapp_refused", why=str(error), remedy="check SMARTTALKER_WHATSAPP_PHONE_ID")
                    break
                log.warning("whatsapp_not_ready", why=str(error), again_in_s=wait_s)
            await asyncio.sleep(wait_s)
            wait_s = min(wait_s * 2, LONGEST_WAIT_S)
        await asyncio.Event().wait()

    async def check(self) -> str:
        """The number's id, and where Meta must call. Raises ChannelError."""
        await _check(self._settings)
        where = self._settings.public_url.rstrip("/") or "https://<your address>"
        return f"number {self._account}; the callback URL in Meta's console is {where}{PATH}"

    def _confirmed(self, request: Request) -> Response:
        query = request.query_params
        known = signature.same(query.get("hub.verify_token", ""), self._verify)
        if not known or query.get("hub.mode") != "subscribe":
            log.warning("webhook_not_confirmed")
            return Response(status_code=403)
        log.info("webhook_confirmed")
        headers = {"X-Content-Type-Options": "nosniff"}
        return Response(query.get("hub.challenge", ""), media_type="text/plain", headers=headers)

    async def _heard(self, request: Request, take: Take) -> Response:
        """401 without a signature or with two, 403 with a wrong one: nothing of such a body is looked at."""
        claim = signature.claimed("\n".join(request.headers.getlist(signature.HEADER)))
        if claim is None:
            log.warning("webhook_unsigned")
            return Response(status_code=401)
        try:
            body = await _body(request)
        except _Unread as error:
            log.warning("webhook_unread", status=error.status)
            return Response(status_code=error.status)
        if not signature.holds(claim, body, self._secret):
            log.warning("webhook_signature_wrong", bytes=len(body))
            return Response(status_code=403)
        return await self._taken(body, take)

    async def _taken(self, body: bytes, take: Take) -> Response:
        """Meta sends again, for up to 7 days, what was not answered with 200."""
        found = events(_parsed(body), self._account)
        try:
            if found:
                await take(found)
        except SurroundingsError as error:
            log.warning("webhook_not_stored", code=error.code, reason=str(error), events=len(found))
        except Exception as error:
            log.error("webhook_failed", error=type(error).__name__, events=len(found))
        else:
            return Response(status_code=200)
        return Response(status_code=503, headers={"Retry-After": str(RETRY_S)})


def _parsed(body: bytes) -> Any:
    """None for what is not JSON; sent again it would be none either."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as error:
        log.warning("webhook_unreadable", bytes=len(body), error=type(error).__name__)
        return None


async def _body(request: Request) -> bytes:
    """Raises _Unread (413, 408, 400) before more than MAX_BODY is in memory."""
    declared = request.headers.get("content-length", "")
    if declared.isdecimal() and (len(declared) > 12 or int(declared) > MAX_BODY):
        raise _Unread(413)
    body = bytearray()
    try:
        async with asyncio.timeout(READ_S):
            async for chunk in request.stream():
                body += chunk
                if len(body) > MAX_BODY:
                    raise _Unread(413)
    except TimeoutError:
        raise _Unread(408) from None
    except ClientDisconnect:
        raise _Unread(400) from None
    return bytes(body)


async def _check(settings: Settings) -> None:
    """Asks for the number's own id. Raises ChannelError. Without pywa, which takes a second to import."""
    assert settings.whatsapp_token is not None, "the registry opens configured channels only"
    token = settings.whatsapp_token.get_secret_value()
    async with open_session(settings.whatsapp_api_url) as session:
        with unseen():
            async with asyncio.timeout(CHECK_S):
                answer = await session.get(
                    f"{GRAPH_URL}/v{VERSION}/{settings.whatsapp_phone_id}",
                    params={"fields": "id"},
                    headers={"Authorization": f"Bearer {token}"},
                )
                if mapping(answer.json()).get("id") != settings.whatsapp_phone_id:
                    raise PlatformAway("an answer about another number")
