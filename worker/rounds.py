"""What a worker does beside its jobs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

from core.errors import DatabaseUnavailable, QueueUnavailable
from core.logging import get_logger, where

log = get_logger(__name__)


class Rounds:
    """What is looked after every few seconds, each part by itself: one that fails keeps no other from it."""

    def __init__(self, *parts: Callable[[], Awaitable[None]]) -> None:
        self._parts = parts

    async def reconcile(self, _ctx: dict[Any, Any]) -> None:
        for part in self._parts:
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
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
