"""Running a worker's coroutine, and its arq worker until it is told to stop."""

from __future__ import annotations

import asyncio
import gc
import signal
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass
from typing import Any

import uvloop
from arq.cron import CronJob
from arq.worker import Function, Worker
from redis.exceptions import RedisError

from core.errors import QueueUnavailable
from core.queue import POLL_S, Queue, pack, unpack


def start(coroutine: Coroutine[Any, Any, None]) -> None:
    """asyncio.run on uvloop."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(coroutine)


def arq_worker(
    queue: Queue,
    name: str,
    functions: Sequence[Function],
    *,
    max_jobs: int,
    cron_jobs: Sequence[CronJob] = (),
    burst: bool = False,
) -> Worker:
    """Hears rings in JSON within POLL_S, keeps no results, and gives up on no job before we do."""
    return Worker(
        functions=functions,
        cron_jobs=cron_jobs,
        queue_name=name,
        redis_pool=queue.pool,
        handle_signals=False,
        burst=burst,
        max_jobs=max_jobs,
        poll_delay=POLL_S,
        keep_result=0,
        max_tries=1000,
        job_serializer=pack,
        job_deserializer=unpack,
        log_results=False,
    )


@dataclass(frozen=True)
class Works:
    """A worker's main task, and the word that what is in hand is not worth waiting for."""

    main: asyncio.Task[None]
    hurry: asyncio.Event


async def until_stopped(worker: Worker, broken: asyncio.Future[None] | None = None) -> Works:
    """Runs the worker until SIGTERM or SIGINT, or until it ends by itself or `broken` is set; then it picks no more
    jobs. The result is handed to `finish`. A second signal is a hurry.
    """
    stopping, hurry = asyncio.Event(), asyncio.Event()

    def stop() -> None:
        (hurry if stopping.is_set() else stopping).set()

    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop)
    # What was imported is never looked through again.
    gc.collect()
    gc.freeze()
    main = asyncio.create_task(worker.async_run())
    stops = asyncio.create_task(stopping.wait())
    await asyncio.wait([each for each in (main, stops, broken) if each], return_when=asyncio.FIRST_COMPLETED)
    stops.cancel()
    stopping.set()
    worker.allow_pick_jobs = False
    return Works(main, hurry)


async def finish(works: Works, jobs: list[asyncio.Task[Any]], within_s: float) -> None:
    """Waits for the jobs, cancels what takes too long. Raises QueueUnavailable where Redis ended the worker."""
    hurry = asyncio.create_task(works.hurry.wait())
    waiting = asyncio.gather(*jobs, return_exceptions=True)
    await asyncio.wait((waiting, hurry), timeout=within_s, return_when=asyncio.FIRST_COMPLETED)
    for task in (works.main, *jobs, hurry):
        task.cancel()
    ended = await asyncio.gather(works.main, *jobs, hurry, waiting, return_exceptions=True)
    if isinstance(ended[0], RedisError | OSError):
        raise QueueUnavailable from ended[0]
    if isinstance(ended[0], Exception):
        raise ended[0]
