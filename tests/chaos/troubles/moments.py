"""Moments in a turn's way at which something can be done to it, as they are told to the pages."""

from __future__ import annotations

import asyncio
import json
from contextlib import aclosing, suppress

from core.errors import QueueUnavailable
from core.queue import EVENTS, Queue
from tests.chaos.whole import Whole

END = "end"


async def next_layer(whole: Whole, layer: str, within_s: float) -> bool:
    """Waits until any turn enters the layer (`end`: has left the last one); false where none did."""
    queue = Queue.lazy(whole.redis_url)
    try:
        with suppress(TimeoutError, QueueUnavailable):
            async with asyncio.timeout(within_s):
                return await _meets(queue, layer)
    finally:
        await queue.close()
    return False


async def _meets(queue: Queue, layer: str) -> bool:
    async with aclosing(queue.listen(EVENTS)) as events:
        async for event in events:
            live = await queue.live(json.loads(event)["turn_id"])
            if live and (live.get("layer") or END) == layer:
                return True
    return False
