"""Waiting for a database that is away."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from core.errors import DatabaseUnavailable

T = TypeVar("T")
PAUSE_S = 0.5


async def patiently(write: Callable[[], Awaitable[T]], within_s: float) -> T:
    """What `write` returns, tried again while the database is away. Raises DatabaseUnavailable after within_s."""
    loop = asyncio.get_running_loop()
    give_up = loop.time() + within_s
    while True:
        try:
            return await write()
        except DatabaseUnavailable:
            if loop.time() > give_up:
                raise
            await asyncio.sleep(PAUSE_S)
