"""What befalls a Redis that goes on."""

from __future__ import annotations

import asyncio
import random
import time
from contextlib import suppress

from redis.asyncio import Redis as Client
from redis.exceptions import RedisError

from tests.chaos.troubles.base import GONE, Lasting
from tests.chaos.whole import Whole


class Flushed(Lasting):
    """Everything that it holds is gone: rings, live words, arq's own."""

    def __init__(self) -> None:
        super().__init__("redis_flush", 2.0)

    async def bite(self, whole: Whole, chance: random.Random) -> dict[str, str]:
        client = Client.from_url(whole.redis_url)
        with suppress(RedisError):
            keys = await client.dbsize()
            await client.flushall()
            await client.aclose()
            return {"server": "redis", "keys": str(keys)}
        return GONE


class Slow(Lasting):
    """It works for 20 ms of every 250 ms, for seconds."""

    def __init__(self) -> None:
        super().__init__("redis_slow", 3.0)

    async def bite(self, whole: Whole, chance: random.Random) -> dict[str, str]:
        victim, seconds = await whole.present("redis"), chance.uniform(2.0, 6.0)
        if victim is None:
            return GONE
        until = time.monotonic() + seconds
        try:
            while time.monotonic() < until:
                victim.suspend()
                await asyncio.sleep(0.23)
                victim.resume()
                await asyncio.sleep(0.02)
        finally:
            victim.resume()
        return {"server": "redis", "seconds": f"{seconds:.1f}"}
