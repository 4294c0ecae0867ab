"""What the courier's work shares, opened together and closed together."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from bot.channels.base import Surroundings
from core.catalogue import Catalogue
from core.queue import Queue
from core.settings import HOME, Settings
from core.storage import Storage
from db.sessions import Database
from worker.channels import Channels
from worker.tasks.base import Office


@asynccontextmanager
async def opened(settings: Settings, connections: int) -> AsyncIterator[Office]:
    """settings: with both URLs. connections: to the database. Raises QueueUnavailable."""
    async with AsyncExitStack() as stack:
        database = Database(settings.database_url, size=connections)
        stack.push_async_callback(database.close)
        queue = await Queue.open(settings.redis_url)
        stack.push_async_callback(queue.close)
        storage = Storage(settings.media_dir)
        channels = Channels(Surroundings(settings, queue, storage))
        stack.push_async_callback(channels.close)
        yield Office(settings, database, queue, storage, Catalogue(settings.data_dir, HOME), channels)
