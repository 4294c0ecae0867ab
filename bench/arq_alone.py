"""How many empty jobs arq alone gets through: `python -m bench.arq_alone <redis url> <jobs>` prints jobs a second."""

from __future__ import annotations

import sys
import time
from typing import Any

import uvloop
from arq.worker import Worker, func

from core.queue import POLL_S, Queue, opened, pack, unpack

QUEUE = "smarttalker:bench"


async def nothing(_ctx: dict[Any, Any], _number: str) -> None:
    """The empty job."""


async def measure(url: str, jobs: int) -> float:
    """Jobs wait before the worker starts; it ends when none is left."""
    async with opened(url) as queue:
        for number in range(jobs):
            await queue.pool.enqueue_job("nothing", str(number), _queue_name=QUEUE)
        worker = make_worker(queue)
        began = time.perf_counter()
        await worker.async_run()
        return jobs / (time.perf_counter() - began)


def make_worker(queue: Queue) -> Worker:
    """As worker.render makes its own, but for `burst`."""
    job: Any = nothing
    return Worker(
        functions=[func(job, name="nothing")],
        queue_name=QUEUE,
        redis_pool=queue.pool,
        handle_signals=False,
        burst=True,
        max_jobs=1,
        poll_delay=POLL_S,
        keep_result=0,
        max_tries=1000,
        job_serializer=pack,
        job_deserializer=unpack,
        log_results=False,
    )


if __name__ == "__main__":
    print(uvloop.run(measure(sys.argv[1], int(sys.argv[2]))))
