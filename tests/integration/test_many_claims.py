"""What workers ask is as quick where 100,000 turns lie and 2,000 wait as where nothing does."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from core.errors import QueueFull
from db import fetching, limits, outbox, overlooked, turns
from db.limits import Caps
from db.sessions import Database
from tests.many import QUEUED, TURNS, Explained, conversation_id, turn_id

CHAT, CROWD = conversation_id(10), conversation_id(20)
ALL = Caps(queue=QUEUED + 1000, open=10, video_s=1800)
FOLLOWING = f"""
INSERT INTO turns (id, conversation_id, seq, state, avatar, modes, fair_at)
SELECT gen_random_uuid(), '{CROWD}', 1000 + n, 'queued', 'layla', '{{text}}', now() - interval '1 day'
FROM generate_series(1, 300) n
"""
"""The first of the conversation waits too: the claim steps over these three hundred."""
SENDABLE = f"""
INSERT INTO outbox (conversation_id, turn_id, turn_seq, kind, dedupe_key, payload)
SELECT conversation_id, id, seq, 'text', 'to send ' || id, '{{}}' FROM turns
WHERE conversation_id = '{CHAT}' AND state = 'queued'
"""
LOST = "UPDATE outbox SET state = 'sending', lease_owner = 'r', lease_until = now() - interval '1 s' WHERE id = 7"
RUNNING = f"""
UPDATE turns SET state = 'running', lease_owner = 'r', lease_until = now() - interval '1 s'
WHERE id = '{turn_id(TURNS + 9)}'
"""


class Undone(Explained):
    """Explains, and keeps nothing."""

    def __init__(self, url: str, before: str = "") -> None:
        """before: a statement that every transaction begins with."""
        super().__init__(url)
        self._before = before

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[AsyncConnection]:
        async with self._engine.connect() as connection:
            if self._before:
                await connection.execute(text(self._before.replace(":", r"\:")))
                self.plans.clear()
            yield connection
            await connection.rollback()


async def place(database: Database, caps: Caps = ALL) -> None:
    async with database.begin() as connection:
        assert await limits.place(connection, CHAT, caps) is not None


async def full(database: Database) -> None:
    async with database.begin() as connection:
        with pytest.raises(QueueFull):
            await limits.place(connection, CHAT, Caps(queue=QUEUED))


async def claimed(database: Database) -> None:
    found = await turns.claim(database, "r", 30.0)
    assert found is not None
    assert found.waiting == turns.WAITING


ASKED: dict[str, tuple[str, Callable[[Database], Awaitable[Any]], int]] = {
    "claim": ("", claimed, 150),
    "claim behind others": (FOLLOWING, claimed, 1500),
    "stranded": ("", turns.stranded, 600),
    "free_expired": (RUNNING, turns.free_expired, 60),
    "take_back": (RUNNING, lambda d: turns.take_back(d, "r"), 60),
    "place": ("", place, QUEUED),
    "place in a full queue": ("", full, QUEUED),
    "outbox claim": (SENDABLE, lambda d: outbox.claim(d, CHAT, "c", 30.0), 150),
    "outbox rest": ("", lambda d: outbox.rest(d, CHAT), 60),
    "undelivered": (SENDABLE, overlooked.undelivered, 60),
    "recover": (LOST, overlooked.recover, 60),
    "recover a name": (LOST, lambda d: overlooked.recover(d, "r"), 60),
    "release": ("", lambda d: overlooked.release(d, CHAT), 300),
    "fetching": ("", fetching.waiting, 30),
}
"""What lies there beforehand, what is asked, and how many pages of 8 KiB it may look at; turns alone have thousands."""


@pytest.mark.parametrize("name", ASKED)
async def test_an_index_finds_it(many_url: str, name: str) -> None:
    before, ask, pages = ASKED[name]
    database = Undone(many_url, before)
    await ask(database)
    await database.close()
    assert database.plans
    for plan in database.plans:
        assert not plan.read_whole, plan
        assert plan.blocks <= pages, plan
