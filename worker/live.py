"""Tells the pages where a running turn is, beside the work: while one word is on its way only the newest waits."""

from __future__ import annotations

import asyncio
from typing import Any

from core.errors import QueueUnavailable
from core.logging import get_logger
from core.queue import Queue

log = get_logger(__name__)


class Live:
    """One a turn. `tell` at any time, `end` when the turn ends: nothing is told after it."""

    def __init__(self, queue: Queue, conversation_id: object, turn_id: object) -> None:
        self._queue = queue
        self._ids = (conversation_id, turn_id)
        self._newest: dict[str, Any] | None = None
        self._telling: asyncio.Task[None] | None = None

    def tell(self, live: dict[str, Any]) -> None:
        self._newest = live
        if self._telling is None or self._telling.done():
            self._telling = asyncio.create_task(self._tell())

    async def end(self) -> None:
        """What is on its way arrives, what waits is dropped."""
        self._newest = None
        if self._telling is not None:
            await asyncio.gather(self._telling, return_exceptions=True)

    async def _tell(self) -> None:
        while self._newest is not None:
            newest, self._newest = self._newest, None
            try:
                await self._queue.tell(*self._ids, newest)
            except QueueUnavailable:
                log.warning("progress_untold")
