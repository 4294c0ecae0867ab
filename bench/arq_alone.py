"""How many empty jobs arq alone gets through: `python -m bench.arq_alone <redis url> <jobs>` prints jobs a second."""

from __future__ import annotations

import sys
import time
from typing import Any

import uvloop
from arq.worker import Worker, func

from core.queue import Queue, opened
from worker.loop import arq_worker

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
    """As worker.render has it, but for `burst`."""
    job: Any = nothing
    return arq_worker(queue, QUEUE, [func(job, name="nothing")], max_jobs=1, burst=True)


if __name__ == "__main__":
    print(uvloop.run(measure(sys.argv[1], int(sys.argv[2]))))
