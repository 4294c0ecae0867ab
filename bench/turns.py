"""Sending turns and waiting for their ends, at as little cost to what is measured as can be."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import httpx
from sqlalchemy import make_url

from bench import filling
from bench.stack import Stack
from core import queue
from core.errors import SurroundingsError

POLL_S = 0.01
WAIT_S = 120.0
AT_WORK_S = 60.0

_ENDED = """
SELECT state, extract(epoch FROM created_at)::float + (timings_ms->>'total')::float / 1000
FROM turns WHERE id = $1::uuid
"""
OPEN = "SELECT count(*) FROM turns WHERE state NOT IN ('done', 'failed', 'cancelled')"
_WORKERS = "SELECT count(DISTINCT lease_owner) FROM turns WHERE state = 'running'"
_LAST = "SELECT max(extract(epoch FROM ended_at))::float FROM turns"
_FAILED = "SELECT count(*) FROM turns WHERE state = 'failed'"


class Turns:
    """A client of the web process that also looks into the database, past the web process."""

    def __init__(self, http: httpx.AsyncClient, database: asyncpg.Connection) -> None:
        self._http = http
        self.database = database
        self._one_at_a_time = asyncio.Lock()

    async def post(self, words: str, **more: Any) -> dict[str, str]:
        """{"turn_id", "conversation_id"}. Raises SurroundingsError for anything but a 202."""
        answer = await self._http.post("/api/v1/messages", json={"text": words, **more})
        if answer.status_code != 202:
            raise SurroundingsError(f"POST was answered with {answer.status_code}: {answer.text[:200]}")
        return dict(answer.json())

    async def delivered(self, turn_id: str) -> float:
        """The Unix time of the last send, by the database's clock (this machine's). Raises SurroundingsError."""
        until = time.monotonic() + WAIT_S
        while time.monotonic() < until:
            state, at = await self.database.fetchrow(_ENDED, turn_id) or ("lost", 0.0)
            if state == "done":
                return float(at or 0.0)
            if state not in ("received", "queued", "running", "rendered"):
                raise SurroundingsError(f"a turn ended as {state}")
            await asyncio.sleep(POLL_S)
        raise SurroundingsError(f"a turn was not done after {WAIT_S:.0f} s")

    async def all_done(self, within_s: float) -> float:
        """Waits until no turn is open; the Unix time at which the last one ended. Raises SurroundingsError."""
        until = time.monotonic() + within_s
        while await self.number(OPEN):
            if time.monotonic() > until:
                raise SurroundingsError(f"turns were still open after {within_s:.0f} s")
            await asyncio.sleep(0.1)
        if failed := await self.number(_FAILED):
            raise SurroundingsError(f"{failed:.0f} turns failed")
        return await self.number(_LAST)

    async def number(self, question: str, *parameters: object) -> float:
        """What a query of one number says; 0 for NULL."""
        async with self._one_at_a_time:
            return float(await self.database.fetchval(question, *parameters) or 0)


async def ring(stack: Stack, times: int) -> None:
    """For turns that were put into the tables, as intake rings for each of its own."""
    async with queue.opened(stack.settings.redis_url) as bell:
        for number in range(times):
            await bell.ring_render(number)


async def all_at_work(stack: Stack, client: Turns, count: int) -> None:
    """So many render processes have held a turn at the same time: each has its engines. Raises SurroundingsError."""
    chosen = await filling.conversations(client.database, 2 * count)
    until = time.monotonic() + AT_WORK_S
    while True:
        await filling.queue(client.database, chosen, 1, "#sleep 0.3 llm")
        await ring(stack, 2 * count)
        while await client.number(OPEN):
            if await client.number(_WORKERS) == count:
                await client.all_done(WAIT_S)
                return
            await asyncio.sleep(POLL_S)
        if time.monotonic() > until:
            raise SurroundingsError(f"{count} render processes did not all work within {AT_WORK_S:.0f} s")


@asynccontextmanager
async def opened(stack: Stack) -> AsyncIterator[Turns]:
    limits = httpx.Limits(max_keepalive_connections=32)
    async with (
        connected(stack.settings.database_url) as database,
        httpx.AsyncClient(base_url=stack.address, timeout=30, trust_env=False, limits=limits) as http,
    ):
        yield Turns(http, database)


@asynccontextmanager
async def connected(url: str) -> AsyncIterator[asyncpg.Connection]:
    """The driver alone: a look takes a tenth of what it would through SQLAlchemy, and is made often."""
    plain = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    database = await asyncpg.connect(plain)
    try:
        yield database
    finally:
        await database.close()
