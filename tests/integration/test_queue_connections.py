"""Connections to a real Redis, as every process opens them."""

from __future__ import annotations

import asyncio

from core.queue import Queue


async def test_who_is_cancelled_in_the_middle_of_a_command_ends(queue: Queue) -> None:
    """A hundred at a hundred moments."""

    async def go_on() -> None:
        while True:
            await queue.ping()

    for moment in range(10):
        tasks = [asyncio.create_task(go_on()) for _ in range(10)]
        await asyncio.sleep(moment / 1000)
        for task in tasks:
            task.cancel()
        ended, running = await asyncio.wait(tasks, timeout=5)
        for task in running:
            while not task.done():
                task.cancel()
                await asyncio.sleep(0.001)
        assert (len(ended), len(running)) == (10, 0)
