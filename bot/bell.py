"""Ringing behind an answer's back."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from contextlib import suppress

from bot.commands.base import Effects
from core.errors import QueueUnavailable
from core.logging import get_logger
from core.queue import Queue

log = get_logger("bot.bell")

RING_S = 2.0


class Bell:
    """A Redis that is away must not make intake slow, and the reconciler rings too."""

    def __init__(self, queue: Queue) -> None:
        self._queue = queue
        self._rings: set[asyncio.Task[None]] = set()
        self._unheard = False

    def render(self, turn_id: object, delay_s: float = 0.0) -> None:
        """There may be a turn to claim, now or after the delay."""
        self._start(self._queue.ring_render(turn_id, delay_s))

    def fetch(self, turn_id: object) -> None:
        """A turn's media is to be fetched."""
        self._start(self._queue.ring_fetch(turn_id))

    def courier(self, conversation_id: object) -> None:
        """There may be something to send."""
        self._start(self._queue.ring_courier(conversation_id))

    def task(self, task_id: object) -> None:
        """There is a task to claim."""
        self._start(self._queue.ring_task(task_id))

    def cancel(self, turn_id: object) -> None:
        """The holder of a turn is asked to stop."""
        self._start(self._queue.ask_cancel(turn_id))

    def all(self, conversation_id: object, effects: Effects) -> None:
        """Everything that a command's effects ask for."""
        if effects.replies:
            self.courier(conversation_id)
        for each, ring in (
            (effects.others, self.courier),
            (effects.cancels, self.cancel),
            (effects.renders, self.render),
            (effects.fetches, self.fetch),
            (effects.tasks, self.task),
        ):
            for name in each:
                ring(name)
        for turn_id, delay_s in effects.renders_later.items():
            self.render(turn_id, delay_s)

    async def close(self) -> None:
        """Waits for the rings under way."""
        with suppress(TimeoutError):
            async with asyncio.timeout(RING_S):
                await asyncio.gather(*self._rings)

    def _start(self, ring: Awaitable[None]) -> None:
        task = asyncio.create_task(self._ring(ring))
        self._rings.add(task)
        task.add_done_callback(self._rings.discard)

    async def _ring(self, ring: Awaitable[None]) -> None:
        try:
            async with asyncio.timeout(RING_S):
                await ring
            self._unheard = False
        except (QueueUnavailable, TimeoutError):
            if not self._unheard:
                log.warning("redis is away: the bell could not be rung, and the reconciler will")
            self._unheard = True
