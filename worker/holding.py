"""Working on a task while its lease is renewed."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from contextlib import suppress
from typing import Any

from core.errors import DatabaseUnavailable, LeaseLost
from core.logging import get_logger
from core.settings import Settings
from db import tasks
from db.sessions import Database

log = get_logger(__name__)

Look = Callable[[], Awaitable[None]]


async def _nothing() -> None:
    """Nothing to look after."""


async def held(
    database: Database,
    task: Mapping[str, Any],
    settings: Settings,
    work: Coroutine[Any, Any, None],
    look: Look = _nothing,
) -> None:
    """Returns when the work has written the task's end, or another holds it; a task whose work is cancelled from
    outside goes back to the queue. look: called before each renewal. Raises what the work raises, but for LeaseLost."""
    running = asyncio.create_task(work)
    beat = asyncio.create_task(_beat(database, task, settings, running, look))
    try:
        # Work that is cancelled because its lease is lost is no reason to stop.
        await asyncio.wait([running])
        if not running.cancelled():
            running.result()
    except asyncio.CancelledError:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        with suppress(LeaseLost, DatabaseUnavailable):
            await tasks.give_back(database, task)
        raise
    except LeaseLost:
        log.warning("lease_lost")
    finally:
        beat.cancel()
        await asyncio.gather(beat, return_exceptions=True)


async def _beat(
    database: Database, task: Mapping[str, Any], settings: Settings, running: asyncio.Task[None], look: Look
) -> None:
    while True:
        await asyncio.sleep(settings.heartbeat_s)
        await look()
        with suppress(DatabaseUnavailable):
            if not await tasks.renew(database, task, settings.lease_s):
                log.warning("lease_lost")
                running.cancel()
                return
