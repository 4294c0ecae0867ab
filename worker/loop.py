"""Running a worker's coroutine, and its arq worker until it is told to stop."""

from __future__ import annotations

import asyncio
import gc
import signal
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass
from typing import Any

import uvloop
from arq.worker import Function, Worker
from redis.exceptions import RedisError

from core.logging import get_logger
from core.queue import POLL_S, Queue, pack, unpack
from worker.rounds import end

log = get_logger(__name__)

AWAY_S = 1.0
"""Between two tries while Redis is away."""


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
    burst: bool = False,
) -> Worker:
    """Hears rings in JSON within POLL_S, keeps no results, and gives up on no job before we do."""
    return Worker(
        functions=functions,
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
    jobs. The result is handed to `finish`. A second signal is a hurry. A Redis that goes is waited for.
    """
    stopping, hurry = asyncio.Event(), asyncio.Event()

    def stop() -> None:
        (hurry if stopping.is_set() else stopping).set()

    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop)
    # What was imported is never looked through again.
    gc.collect()
    gc.freeze()
    main = asyncio.create_task(_insist(worker))
    stops = asyncio.create_task(stopping.wait())
    await asyncio.wait([each for each in (main, stops, broken) if each], return_when=asyncio.FIRST_COMPLETED)
    stops.cancel()
    stopping.set()
    worker.allow_pick_jobs = False
    return Works(main, hurry)


async def _insist(worker: Worker) -> None:
    """What is in hand goes on while Redis is away; jobs that nobody rang for meanwhile are found by the reconciler."""
    while True:
        try:
            return await worker.async_run()
        except (RedisError, OSError) as error:
            log.warning("redis_away", error=type(error).__name__)
        await asyncio.sleep(AWAY_S)
        await _count_again(worker)


async def _count_again(worker: Worker) -> None:
    """A Redis that goes while arq starts a job leaves its place taken for good: places are those of jobs that run."""
    worker.tasks = {name: task for name, task in worker.tasks.items() if not task.done()}
    worker.job_counter = len(worker.tasks)
    worker.sem = asyncio.BoundedSemaphore(worker.max_jobs + 1)
    for _ in worker.tasks:
        await worker.sem.acquire()


async def finish(works: Works, jobs: list[asyncio.Task[Any]], within_s: float) -> None:
    """Waits for the jobs, cancels what takes too long. Raises what ended the worker."""
    hurry = asyncio.create_task(works.hurry.wait())
    waiting = asyncio.gather(*jobs, return_exceptions=True)
    await asyncio.wait((waiting, hurry), timeout=within_s, return_when=asyncio.FIRST_COMPLETED)
    for task in (*jobs, hurry):
        task.cancel()
    await end(works.main)
    ended = await asyncio.gather(works.main, *jobs, hurry, waiting, return_exceptions=True)
    if isinstance(ended[0], Exception):
        raise ended[0]
