"""What the benchmarks put into the tables is what intake and render would have left there."""

from __future__ import annotations

from bench import filling
from bench.turns import connected
from db import turns
from db.sessions import Database
from tests.helpers import rows


async def test_turns_that_wait_are_claimed_in_order(database: Database, migrated_url: str) -> None:
    async with connected(migrated_url) as direct:
        chosen = await filling.conversations(direct, 3)
        await filling.queue(direct, chosen, 2)
        await filling.queue(direct, chosen[:1], 1)
    claimed = [await turns.claim(database, "bench", 30.0) for _ in range(4)]
    assert [None if each is None else each.turn["seq"] for each in claimed] == [1, 1, 1, None]
    ends = await rows(database, "SELECT last_seq FROM conversations ORDER BY last_seq")
    assert [row["last_seq"] for row in ends] == [2, 2, 3]


async def test_old_turns_are_done_and_in_the_history(database: Database, migrated_url: str) -> None:
    async with connected(migrated_url) as direct:
        chosen = await filling.conversations(direct, 2)
        await filling.old(direct, chosen, 5)
        await filling.queue(direct, chosen[:1], 1)
    claimed = await turns.claim(database, "bench", 30.0)
    assert claimed is not None
    assert claimed.turn["seq"] == 6
    assert [line["role"] for line in claimed.history] == ["user", "assistant"] * 5
    assert await turns.claim(database, "bench", 30.0) is None
