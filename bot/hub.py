"""One subscription to Redis, fanned out to every open page."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing, asynccontextmanager, contextmanager, suppress

from core.errors import QueueUnavailable
from core.logging import get_logger
from core.queue import EVENTS, Queue

log = get_logger("bot.hub")

FIRST_DELAY_S, LAST_DELAY_S = 0.2, 5.0
SETTLE_S = 0.3
"""After so long a subscription stands; what was told before is looked up."""
POLL_S, SAFETY_S = 1.0, 15.0
"""How often a page looks for itself while Redis is away, and while it is there."""
MOST = 32
"""Changed turns that one page remembers; with more it looks at all of its conversation."""


class Subscription:
    """What has changed for one page since it last looked. Holds ids alone, each once, however slow the page is."""

    def __init__(self) -> None:
        self._turns: dict[str, None] = {}
        self._everything = False
        self._changed = asyncio.Event()

    def tell(self, turn_id: str | None) -> None:
        """None: anything may have changed."""
        if turn_id is None or len(self._turns) >= MOST:
            self._everything = True
        else:
            self._turns[turn_id] = None
        self._changed.set()

    async def changed(self, timeout: float) -> list[str] | None:
        """The ids told since the last call, oldest first; None for everything, and after the time-out."""
        with suppress(TimeoutError):
            async with asyncio.timeout(timeout):
                await self._changed.wait()
        everything, turns = self._everything or not self._turns, list(self._turns)
        self._turns, self._everything = {}, False
        self._changed.clear()
        return None if everything else turns


class Hub:
    """Knows which page shows which conversation; what is told of one reaches no other."""

    def __init__(self, queue: Queue) -> None:
        self._queue = queue
        self._pages: dict[str, set[Subscription]] = {}
        self._listening = False

    @property
    def poll_s(self) -> float:
        """How long a page may wait before it looks for itself."""
        return SAFETY_S if self._listening else POLL_S

    @contextmanager
    def page(self, conversation_id: str) -> Iterator[Subscription]:
        subscription = Subscription()
        self._pages.setdefault(conversation_id, set()).add(subscription)
        try:
            yield subscription
        finally:
            pages = self._pages[conversation_id]
            pages.discard(subscription)
            if not pages:
                del self._pages[conversation_id]

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        task = asyncio.create_task(self._run())
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def _run(self) -> None:
        delay = FIRST_DELAY_S
        while True:
            try:
                await self._queue.ping()
                delay = FIRST_DELAY_S
                await self._listen()
            except QueueUnavailable:
                if self._listening or delay == FIRST_DELAY_S:
                    log.warning("redis is away: open pages look for themselves")
            except Exception:
                log.exception("listening failed")
            self._listening = False
            self._tell_all()
            await asyncio.sleep(delay)
            delay = min(2 * delay, LAST_DELAY_S)

    async def _listen(self) -> None:
        settled = asyncio.get_running_loop().call_later(SETTLE_S, self._settle)
        try:
            async with aclosing(self._queue.listen(EVENTS)) as messages:
                async for message in messages:
                    self._pass_on(message)
        finally:
            settled.cancel()

    def _settle(self) -> None:
        self._listening = True
        self._tell_all()

    def _tell_all(self) -> None:
        for pages in self._pages.values():
            for page in pages:
                page.tell(None)

    def _pass_on(self, message: str) -> None:
        try:
            event = json.loads(message)
            conversation_id, turn_id = event["conversation_id"], event["turn_id"]
        except (ValueError, KeyError, TypeError):
            log.warning("an event that is none was told")
            return
        for page in self._pages.get(str(conversation_id), ()):
            page.tell(str(turn_id))
