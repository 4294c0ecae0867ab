"""What several tests need."""

from __future__ import annotations

import asyncio
import atexit
import shutil
import tempfile
from collections.abc import AsyncIterator, Coroutine
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from functools import cache
from pathlib import Path
from secrets import token_hex
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from core.messages import Inbound
from core.metrics import Metrics
from db.intake import accept
from db.sessions import Database, async_url

T = TypeVar("T")


class CountingDatabase(Database):
    """Counts transactions, those that only read among them."""

    def __init__(self, url: str, *, size: int = 10) -> None:
        super().__init__(url, size=size)
        self.commits = 0

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[AsyncConnection]:
        async with super().begin() as connection:
            yield connection
        self.commits += 1


def inbound(said: str | None = "hello", **changes: Any) -> Inbound:
    """A message of the page, with an event id of its own."""
    values: dict[str, Any] = {"channel": "web", "account": "web", "event_id": token_hex(8), "sender_id": "s"}
    return Inbound(**{**values, "chat_id": token_hex(8), "text": said, **changes})


async def post(database: Database, said: str | None = "hello", **changes: Any) -> UUID:
    """Takes a message in; the turn's id. after: an earlier turn, in whose conversation this
    one goes on."""
    if (earlier := changes.pop("after", None)) is not None:
        changes["conversation_id"] = str((await turn_row(database, earlier))["conversation_id"])
    return UUID((await accept(database, inbound(said, **changes), avatar="layla")).turn_id)


async def rows(database: Database, statement: str, **values: Any) -> list[dict[str, Any]]:
    async with database.begin() as connection:
        return [dict(row) for row in (await connection.execute(text(statement), values)).mappings()]


async def turn_row(database: Database, turn_id: UUID) -> dict[str, Any]:
    return (await rows(database, "SELECT * FROM turns WHERE id = :id", id=turn_id))[0]


async def outbox_of(database: Database, turn_id: UUID) -> list[dict[str, Any]]:
    return await rows(database, "SELECT * FROM outbox WHERE turn_id = :id ORDER BY id", id=turn_id)


@cache
def shared_metrics() -> Metrics:
    """One for the test run: each keeps its files open for as long as its process lives."""
    folder = Path(tempfile.mkdtemp(prefix="smarttalker-metrics-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return Metrics(folder)


def run(work: Coroutine[Any, Any, T]) -> T:
    """Runs a coroutine to its end in a loop and a thread of its own, from where no loop may be touched."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, work).result()


def query(url: str, statement: str) -> Any:
    """Executes one statement outside a transaction; its first value, where it has one."""
    return run(_execute(url, statement))


async def _execute(url: str, statement: str) -> Any:
    engine = create_async_engine(async_url(url), isolation_level="AUTOCOMMIT")
    try:
        async with engine.connect() as connection:
            result = await connection.execute(text(statement))
            return result.scalar() if result.returns_rows else None
    finally:
        await engine.dispose()
