"""How much is done at once, and for one client: what comes in a platform's name, and what comes with a key.

This machine's own programs, which need no key, are not counted: they could do worse than ask. What people may have
answered is limited elsewhere, by conversation (db/limits.py).
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from starlette.types import ASGIApp, Receive, Scope, Send

from bot.api.errors import smarttalker_response
from bot.api.guards import WEBHOOKS
from core.errors import TooManyRequests
from core.settings import Settings

WEBHOOKS_AT_ONCE = 128
"""Bodies that are in memory at once, 3 MB each at most. Platforms send again what was refused."""
POSTS_A_SECOND, BURST = 10.0, 120
"""Requests of one client that change something; a thousand people behind one address send fewer."""
POSTS_AT_ONCE = 32
"""Of one client: a slow upload of 16 MB may take two minutes."""
SOCKETS, SOCKETS_OF_ONE = 2000, 200
READING = ("GET", "HEAD", "OPTIONS")
TRY_AGAIN = 1013
"""A socket's page comes again by itself."""
_MANY = 10_000
"""Clients that are remembered before those that have been quiet are forgotten."""


class Pace:
    """A bucket of tokens for each client."""

    def __init__(self, per_s: float, burst: int) -> None:
        self._per_s, self._burst = per_s, burst
        self._left: dict[str, tuple[float, float]] = {}

    def allows(self, who: str) -> bool:
        """Takes a token, where there is one."""
        now = time.monotonic()
        tokens, at = self._left.get(who, (float(self._burst), now))
        tokens = min(self._burst, tokens + (now - at) * self._per_s)
        self._left[who] = (tokens - 1 if tokens >= 1 else tokens, now)
        if len(self._left) > _MANY:
            self._forget(now)
        return tokens >= 1

    def _forget(self, now: float) -> None:
        """Those whose buckets are full again."""
        quiet = self._burst / self._per_s
        self._left = {who: kept for who, kept in self._left.items() if now - kept[1] < quiet}


class Crowd:
    """Pure ASGI, inside the gate: whoever comes here may ask, but not for everything at once."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app = app
        self._counted = settings.api_key is not None
        self._pace = Pace(POSTS_A_SECOND, BURST)
        self._posts: Counter[str] = Counter()
        self._sockets: Counter[str] = Counter()
        self._webhooks: Counter[str] = Counter()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """429 with Retry-After, or a socket closed with TRY_AGAIN, beyond the limits."""
        with self._place(scope) as there_is_one:
            if there_is_one:
                await self._app(scope, receive, send)
            elif scope["type"] == "websocket":
                await receive()
                await send({"type": "websocket.accept"})
                await send({"type": "websocket.close", "code": TRY_AGAIN})
            else:
                await smarttalker_response(scope, TooManyRequests())(scope, receive, send)

    @contextmanager
    def _place(self, scope: Scope) -> Iterator[bool]:
        """Whether there is room, which is taken for the block."""
        who = client_of(scope)
        if scope["type"] == "http" and scope["path"].startswith(WEBHOOKS):
            with _held(self._webhooks, "", WEBHOOKS_AT_ONCE) as free:
                yield free
        elif scope["type"] == "websocket" and self._counted:
            room = self._sockets.total() < SOCKETS
            with _held(self._sockets, who, SOCKETS_OF_ONE if room else 0) as free:
                yield free
        elif scope["type"] == "http" and self._counted and scope["method"] not in READING:
            with _held(self._posts, who, POSTS_AT_ONCE if self._pace.allows(who) else 0) as free:
                yield free
        else:
            yield True


@contextmanager
def _held(places: Counter[str], who: str, most: int) -> Iterator[bool]:
    """One of `most` places for the block, where one is free."""
    if places[who] >= most:
        yield False
        return
    places[who] += 1
    try:
        yield True
    finally:
        places[who] -= 1
        if not places[who]:
            del places[who]


def client_of(scope: Scope) -> str:
    """The address that asks; behind a proxy on this machine the one that it names."""
    client = scope.get("client")
    return str(client[0]) if client else ""
