"""What the web process' routes share."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field

from fastapi import Request, WebSocket

from bot.bell import Bell
from bot.channels.base import Receiver, Surroundings
from bot.channels.registry import open_receiver
from bot.commands.base import Desk
from bot.hub import Hub
from bot.intake import Intake
from bot.keyed import Keyed
from bot.reception import Reception
from core.catalogue import Catalogue
from core.logging import get_logger
from core.metrics import Metrics, clean
from core.queue import Queue
from core.settings import HOME, Settings
from core.storage import Storage
from db import views
from db.sessions import Database

log = get_logger("bot.services")

DECODERS = 2
"""Recordings decoded at once; each takes a core for a moment."""
AGAIN_S = 5.0
PACE_S = 5.0
"""How long a mean time a turn serves for estimates."""


@dataclass
class Services:
    """Made once, by the lifespan."""

    settings: Settings
    database: Database
    queue: Queue
    bell: Bell
    intake: Intake
    reception: Reception
    receivers: Sequence[Receiver]
    hub: Hub
    catalogue: Catalogue
    storage: Storage
    metrics: Metrics
    media_key: bytes
    recordings: Keyed = field(default_factory=Keyed)
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
        bell = Bell(queue)
        stack.push_async_callback(bell.close)
        catalogue = Catalogue(settings.data_dir, HOME)
        storage = Storage(settings.media_dir)
        desk = Desk(settings, catalogue, storage)
        hub = Hub(queue)
        await stack.enter_async_context(hub.running())
        services = Services(
            settings=settings,
            database=database,
            queue=queue,
            bell=bell,
            intake=Intake(database, bell, desk, metrics),
            reception=Reception(database, bell, desk, metrics),
            receivers=[open_receiver(name, Surroundings(settings, queue, storage)) for name in settings.channels],
            hub=hub,
            catalogue=catalogue,
            storage=storage,
            metrics=metrics,
            media_key=media_key,
        )
        await stack.enter_async_context(_receiving(services))
        yield services


@asynccontextmanager
async def _receiving(services: Services) -> AsyncIterator[None]:
    """Each platform's registration and polling, beside the web server."""
    running = [asyncio.create_task(_receive(receiver, services.reception)) for receiver in services.receivers]
    try:
        yield
    finally:
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)


async def _receive(receiver: Receiver, reception: Reception) -> None:
    """A receiver that ends by an error of our own begins again: a platform is never left unheard."""
    while True:
        try:
            return await receiver.run(reception.take)
        except Exception:
            log.exception("receiver_failed", channel=receiver.name)
            await asyncio.sleep(AGAIN_S)


async def services(request: Request) -> Services:
    """The dependency of every route; a coroutine, since FastAPI calls a plain function in a thread of its pool."""
    found: Services = request.app.state.services
    return found


def socket_services(socket: WebSocket) -> Services:
    found: Services = socket.app.state.services
    return found
