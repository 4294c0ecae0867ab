"""What a worker does beside its jobs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

from core.errors import DatabaseUnavailable, QueueUnavailable
from core.logging import get_logger, where

log = get_logger(__name__)

AGAIN_S = 2.0

Part = Callable[[], Awaitable[None]]


class Rounds:
    """What is looked after every few seconds, each part by itself: one that fails or takes long keeps no other from
    it."""

    def __init__(self, *parts: Part) -> None:
        self._parts = parts

    async def run(self, period_s: float) -> None:
        """Until it is cancelled; each part begins at once, and again period_s after it has ended."""
        await asyncio.gather(*(self._repeat(part, period_s) for part in self._parts))

    async def _repeat(self, part: Part, period_s: float) -> None:
        while True:
            await _survive(part)
            await asyncio.sleep(period_s)


async def _survive(part: Part) -> None:
    try:
        await part()
    except (DatabaseUnavailable, QueueUnavailable) as error:
        log.warning("reconcile_failed", code=error.code)
    except Exception as error:
        log.error("reconcile_crashed", error=type(error).__name__, where=where(error))


@asynccontextmanager
async def beside(work: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Runs for the length of the block."""
    task = asyncio.create_task(work)
    try:
        yield
    finally:
        await end(task)


async def end(task: asyncio.Task[None]) -> None:
    """Returns when the task has ended. A library may swallow a cancellation, which is then said again."""
    while not task.done():
        task.cancel()
        await asyncio.wait([task], timeout=AGAIN_S)
