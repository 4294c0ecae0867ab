"""Our own overhead: what a turn costs when the engines cost nothing."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from typing import Any

from sqlalchemy import make_url, text
from sqlalchemy.ext.asyncio import create_async_engine

from bench import turns
from bench.figures import Figures, spread
from bench.stack import FAKES, Stack, own_folder, running
from core.errors import SurroundingsError

WARM_UP, SEQUENTIAL = 20, 150
PAUSE_S = 0.1
"""Between two turns, so that what follows a delivery (the queue's bookkeeping) is not charged to the next turn."""
MANY, CONVERSATIONS, AT_ONCE = 200, 50, 8
COUNTED, SPACING_S = 60, 0.3
FLUSH_S = 12.0
"""An idle backend hands in its counters within 10 s (PGSTAT_IDLE_INTERVAL, PostgreSQL's pgstat.c). With the turns
that makes 30 s, two rounds of the reconciler, in which the idle stack is watched too."""
JOBS = 500

_COUNTERS = text(
    "SELECT xact_commit, pg_snapshot_xmax(pg_current_snapshot())::text::bigint"
    " FROM pg_stat_database WHERE datname = :name"
)


def measure() -> Figures:
    with own_folder() as folder, running(FAKES, folder) as stack:
        figures = asyncio.run(_measure(stack))
        figures["arq_jobs_per_s"] = arq_alone(stack.settings.redis_url)
    figures["turns_to_arq_ratio"] = figures["turns_per_s"] / figures["arq_jobs_per_s"]
    return figures


async def _measure(stack: Stack) -> Figures:
    async with turns.opened(stack) as client:
        figures = await _one_by_one(client)
        figures |= await _many(client)
    return figures | await _commits(stack)


async def _one_by_one(client: turns.Turns) -> Figures:
    """From the moment before the POST to the last row's delivery as the database wrote it."""
    conversation: dict[str, Any] = {}
    spent = []
    for _ in range(WARM_UP + SEQUENTIAL):
        began = time.time()
        posted = await client.post("hello", language="en", **conversation)
        spent.append((await client.delivered(posted["turn_id"]) - began) * 1000)
        await asyncio.sleep(PAUSE_S)
        conversation = {"conversation_id": posted["conversation_id"]}
    return spread("overhead", spent[WARM_UP:])


async def _many(client: turns.Turns) -> Figures:
    """From the first POST to the last turn's end."""
    ids = [(await client.post("hello", language="en"))["conversation_id"] for _ in range(CONVERSATIONS)]
    await client.all_done(60)
    waiting = [ids[number % CONVERSATIONS] for number in range(MANY)]
    began = time.time()

    async def post() -> None:
        while waiting:
            await client.post("hello", language="en", conversation_id=waiting.pop())

    await asyncio.gather(*(post() for _ in range(AT_ONCE)))
    posted = time.time() - began
    ended = await client.all_done(120)
    return {"turns_per_s": MANY / (ended - began), "turns_posted_per_s": MANY / posted}


async def _commits(stack: Stack) -> Figures:
    """Transactions a turn, less what the idle stack does in the same time, seen from another database.

    commits: all that ended well, reading ones too. writes: those that took a transaction id.
    """
    url = make_url(stack.settings.database_url)
    watcher = create_async_engine(url.set(database="postgres"), isolation_level="AUTOCOMMIT")

    async def counters() -> tuple[int, int]:
        async with watcher.connect() as connection:
            commits, writes = (await connection.execute(_COUNTERS, {"name": url.database})).one()
            return int(commits), int(writes)

    async def counted(work: Any) -> tuple[int, int]:
        before = await counters()
        await work
        await asyncio.sleep(FLUSH_S)
        after = await counters()
        return after[0] - before[0], after[1] - before[1]

    try:
        await asyncio.sleep(FLUSH_S)
        idle = await counted(asyncio.sleep(COUNTED * SPACING_S))
        busy = await counted(_spaced(stack))
    finally:
        await watcher.dispose()
    return {
        "commits_per_turn": (busy[0] - idle[0]) / COUNTED,
        "writes_per_turn": (busy[1] - idle[1]) / COUNTED,
    }


async def _spaced(stack: Stack) -> None:
    """Turns that don't overlap; nobody looks whether they are done, since looking is a transaction too."""
    async with turns.opened(stack) as client:
        conversation: dict[str, Any] = {}
        for _ in range(COUNTED):
            due = time.monotonic() + SPACING_S
            posted = await client.post("hello", language="en", **conversation)
            conversation = {"conversation_id": posted["conversation_id"]}
            await asyncio.sleep(max(0.0, due - time.monotonic()))


def arq_alone(redis_url: str) -> float:
    """Empty jobs a second of one arq worker set up as the render worker's."""
    command = [sys.executable, "-m", "bench.arq_alone", redis_url, str(JOBS)]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    if ended.returncode:
        raise SurroundingsError(f"arq alone: {ended.stderr.strip().splitlines()[-1]}")
    return float(ended.stdout)
