"""Each request's way in: its faults, its token, its error answers."""

from __future__ import annotations

import hmac
import re
from collections.abc import Awaitable, Callable
from typing import Any, Final

from fastapi import Request, Response
from fastapi.responses import HTMLResponse, JSONResponse

from simulators.faults import Fault, on_the_wire
from simulators.whatsapp.errors import REPORTED_LATER, TITLES, GraphError, no_object
from simulators.whatsapp.platform import WhatsApp

WIRE: Final = frozenset({"timeout_before", "timeout_after", "reset", "reset_after"})
NAMED: Final = {
    "429": 130429,
    "throughput": 130429,
    "pair_limit": 131056,
    "500": 131000,
    "503": 131016,
    "closed_window": 131047,
    "undeliverable": 131026,
    "media_failed": 131053,
}
"""Effects beside those of the connection, `502` and `expired_media`. Any code of `TITLES` is one too. `_sync` behind
it: the request is refused with it; `_status`: the request is accepted, and a status tells. Without either it is as on
the platform: 131026, 131047 and 131053 by status, the others at once."""
VERSION: Final = re.compile(r"v\d{1,2}\.\d")

Act = Callable[[int | None], Awaitable[Response]]


class Door:
    """Lets requests in."""

    def __init__(self, platform: WhatsApp) -> None:
        self._platform = platform

    async def answer(self, method: str, chat: str | None, act: Act, kind: str = "") -> Response:
        """The answer of `act`, which gets the code with which the message is to fail in its status, or None.

        A fault may name the method alone, or with the message's kind: `messages.video`."""
        precise = f"{method}.{kind}"
        asked = any(fault.method == precise for fault in self._platform.faults.left())
        fault = self._platform.faults.take(precise if asked else method, chat)
        notice = self._platform.faults.notice(method, chat)
        if fault is None or fault.effect in WIRE:
            return await on_the_wire(fault, lambda: self._told(method, chat, act, None), notice)
        if fault.effect == "502":
            return HTMLResponse("<html><body>Bad Gateway</body></html>", 502)
        under = _under(fault, method, act)
        return await on_the_wire(None, lambda: self._told(method, chat, *under), notice)

    async def _told(self, method: str, chat: str | None, act: Act, failure: int | None) -> Response:
        try:
            return await act(failure)
        except GraphError as error:
            if not error.deliberate:
                self._platform.book.refuse(method, error.http_status, str(error), chat)
            return JSONResponse(error.body(), error.http_status)

    def check_token(self, request: Request) -> None:
        """Raises GraphError 190."""
        config = self._platform.config
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        given = token if scheme.lower() == "bearer" else request.query_params.get("access_token", "")
        if not given:
            raise GraphError(190, message="An access token is required to request this resource.")
        if not hmac.compare_digest(given.encode(), config.token.encode()):
            raise GraphError(190)

    def check_version(self, version: str) -> None:
        """Raises GraphError 2500."""
        if not VERSION.fullmatch(version):
            raise GraphError(2500, message=f"Unknown path components: /{version}")

    def check_phone(self, id: str, method: str) -> None:
        """Raises GraphError 100/33 for somebody else's number."""
        if id != self._platform.config.phone_id:
            raise no_object(id, method)


def _under(fault: Fault, method: str, act: Act) -> tuple[Act, int | None]:
    """What is done under a fault of the platform, and the code for the message's status."""
    at_once, later = fault.effect.endswith("_sync"), fault.effect.endswith("_status")
    name = fault.effect.removesuffix("_sync").removesuffix("_status")
    if name == "expired_media":
        return (act, 131053) if method == "messages" else (_raising(no_object("expired", "get")), None)
    code = NAMED.get(name) or (int(name) if name.isdigit() else 0)
    if code not in TITLES:
        return _raising(GraphError(1, f"the simulator knows no fault {fault.effect}")), None
    by_status = method == "messages" and (later or (code in REPORTED_LATER and not at_once))
    return (act, code) if by_status else (_raising(GraphError(code)), None)


def _raising(error: GraphError) -> Act:
    error.deliberate = True

    async def act(failure: int | None) -> Response:
        raise error

    return act


async def json_body(request: Request) -> Any:
    """The body, parsed. Raises GraphError 100."""
    try:
        return await request.json()
    except ValueError as problem:
        raise GraphError(100, message="(#100) The request's body is not JSON.") from problem
