"""What the web process' routes share."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field

from fastapi import Request, WebSocket

from bot.hub import Hub
from bot.intake import Intake
from core.catalogue import Catalogue
from core.metrics import Metrics, clean
from core.queue import Queue
from core.settings import HOME, Settings
from core.storage import Storage
from db import views
from db.sessions import Database

DECODERS = 2
"""Recordings decoded at once; each takes a core for a moment."""
PACE_S = 5.0
"""How long a mean time a turn serves for estimates."""


@dataclass
class Services:
    """Made once, by the lifespan."""

    settings: Settings
    database: Database
    queue: Queue
    intake: Intake
    hub: Hub
    catalogue: Catalogue
    storage: Storage
    metrics: Metrics
    media_key: bytes
    decoders: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(DECODERS))
    _pace: tuple[float, float | None] = (float("-inf"), None)

    async def seconds_a_turn(self) -> float | None:
        """The mean of late, at most PACE_S old; None before the first turn."""
        asked_at, pace = self._pace
        if time.monotonic() - asked_at > PACE_S:
            self._pace = (time.monotonic(), pace)
            pace = await views.seconds_a_turn(self.database)
            self._pace = (time.monotonic(), pace)
        return pace


@asynccontextmanager
async def opened(settings: Settings, metrics: Metrics, media_key: bytes) -> AsyncIterator[Services]:
    """Starts whether or not PostgreSQL and Redis are there."""
    async with AsyncExitStack() as stack:
        clean(settings.data_dir / "metrics")
        database = Database(settings.database_url)
        stack.push_async_callback(database.close)
        queue = Queue.lazy(settings.redis_url)
        stack.push_async_callback(queue.close)
        catalogue = Catalogue(settings.data_dir, HOME)
        intake = Intake(database, queue, catalogue, settings.default_avatar)
        stack.push_async_callback(intake.close)
        hub = Hub(queue)
        await stack.enter_async_context(hub.running())
        storage = Storage(settings.media_dir)
        yield Services(settings, database, queue, intake, hub, catalogue, storage, metrics, media_key)


async def services(request: Request) -> Services:
    """The dependency of every route; a coroutine, since FastAPI calls a plain function in a thread of its pool."""
    found: Services = request.app.state.services
    return found


def socket_services(socket: WebSocket) -> Services:
    found: Services = socket.app.state.services
    return found
