"""Running a worker's coroutine, and its arq worker until it is told to stop."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Coroutine
from typing import Any

import uvloop
from arq.worker import Worker
from redis.exceptions import RedisError

from core.errors import QueueUnavailable


def start(coroutine: Coroutine[Any, Any, None]) -> None:
    """asyncio.run on uvloop."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(coroutine)


async def until_stopped(worker: Worker) -> asyncio.Task[None]:
    """Runs the worker until SIGTERM or SIGINT, or until it ends by itself; then it picks no more jobs.

    Returns the task, to be handed to `finish` when the jobs in hand are done.
    """
    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    works = asyncio.create_task(worker.async_run())
    stops = asyncio.create_task(stopping.wait())
    await asyncio.wait((works, stops), return_when=asyncio.FIRST_COMPLETED)
    stops.cancel()
    worker.allow_pick_jobs = False
    return works


async def finish(works: asyncio.Task[None], jobs: list[asyncio.Task[Any]], within_s: float) -> None:
    """Waits for the jobs, cancels what takes too long. Raises QueueUnavailable where Redis ended the worker."""
    if jobs:
        await asyncio.wait(jobs, timeout=within_s)
    for task in (works, *jobs):
        task.cancel()
    ended = await asyncio.gather(works, *jobs, return_exceptions=True)
    if isinstance(ended[0], RedisError | OSError):
        raise QueueUnavailable from ended[0]
    if isinstance(ended[0], Exception):
        raise ended[0]
