"""A lease that is renewed for the length of a block."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

from core.errors import DatabaseUnavailable
from worker.rounds import beside


@asynccontextmanager
async def renewed(renew: Callable[[], Awaitable[bool]], heartbeat_s: float) -> AsyncIterator[None]:
    """renew: False where the lease is another's by now; then there is nothing more to renew, and what the block writes
    in the end is refused."""
    async with beside(_renew(renew, heartbeat_s)):
        yield


async def _renew(renew: Callable[[], Awaitable[bool]], heartbeat_s: float) -> None:
    going = True
    while going:
        await asyncio.sleep(heartbeat_s)
        with suppress(DatabaseUnavailable):
            going = await renew()
