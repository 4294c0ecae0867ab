"""Around every request: its id, its time, its log context, and the last net under what nobody expected."""

from __future__ import annotations

import time
import uuid

from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bot.api.errors import internal_response
from core.logging import get_logger, log_context
from core.metrics import Metrics

log = get_logger("bot.api")

MAX_ID = 128
HEADERS = {
    b"x-content-type-options": b"nosniff",
    b"referrer-policy": b"no-referrer",
    b"x-frame-options": b"DENY",
    b"content-security-policy": (
        b"default-src 'none'; media-src 'self'; style-src 'unsafe-inline'; frame-ancestors 'none'"
    ),
    b"cache-control": b"no-store",
}
"""Of every response that says nothing else itself: what holds people's words is kept nowhere, shown in no frame, and
runs nothing where it is opened as a page. Media and styles are for the browser's own player."""
GONE = 499
"""Counted for a client that did not wait; nobody reads it (nginx' number)."""


class Tracing:
    """Pure ASGI, the outermost of ours."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            return await self._app(scope, receive, send)
        request_id = request_id_of(scope)
        scope.setdefault("state", {})["request_id"] = request_id
        with log_context(request_id=request_id):
            if scope["type"] == "http":
                await self._http(scope, receive, send, request_id.encode())
            else:
                await self._app(scope, receive, send)
        return None

    async def _http(self, scope: Scope, receive: Receive, send: Send, request_id: bytes) -> None:
        started, status = time.perf_counter(), 0

        async def marked(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                extra = [(b"x-request-id", request_id), *_missing(message)]
                message = {**message, "headers": [*message["headers"], *extra]}
            await send(message)

        try:
            await self._app(scope, receive, marked)
        except ClientDisconnect:
            status = status or GONE
            log.info("the client went away", route=route_of(scope))
        except Exception:
            log.exception("a request failed", method=scope["method"], route=route_of(scope))
            if status == 0:
                await internal_response(scope)(scope, receive, marked)
        finally:
            self._metrics.http(method_of(scope), route_of(scope), status, time.perf_counter() - started)


def _missing(start: Message) -> list[tuple[bytes, bytes]]:
    """Of HEADERS; a 304 leaves those of the kept response as they were."""
    if start["status"] == 304:
        return []
    given = {name.lower() for name, _ in start["headers"]}
    return [(name, value) for name, value in HEADERS.items() if name not in given]


def request_id_of(scope: Scope) -> str:
    """The caller's own, where it is printable and not too long; else a new one."""
    for name, value in scope["headers"]:
        if name == b"x-request-id":
            given: str = value.decode("latin-1")
            if 0 < len(given) <= MAX_ID and given.isascii() and given.isprintable():
                return given
    return uuid.uuid4().hex


def route_of(scope: Scope) -> str:
    """The pattern, so that ids make no series; what no route matched is one series."""
    return str(getattr(scope.get("route"), "path", "other"))


def method_of(scope: Scope) -> str:
    return scope["method"] if scope["method"] in ("GET", "HEAD", "POST", "DELETE", "OPTIONS", "PUT") else "other"
