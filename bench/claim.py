"""Claiming a turn while the tables hold 100,000 old ones and 300 wait."""

from __future__ import annotations

import time
from datetime import timedelta

import asyncpg
import uvloop
from sqlalchemy import make_url

from bench import filling
from bench.figures import Figures, spread
from bench.stack import own_folder, servers
from bench.turns import connected
from db.migrate import upgrade
from db.sessions import Database
from db.turns import claim

CONVERSATIONS, TURNS_EACH = 1_000, 100
WAITING_IN, WAITING_EACH = 100, 3
WARM_UP, CLAIMS = 30, 300
BEHIND = 300
LEASE_S = 30.0

_DONE = "UPDATE turns SET state = 'done', lease_owner = NULL, lease_until = NULL, ended_at = now() WHERE id = $1"


def measure() -> Figures:
    """`db.turns.claim` by itself, on one connection and on the event loop that render uses; nothing else uses the
    database. Each claimed turn is done at once and another waits in its conversation, both outside the time.

    claim: the whole transaction, its commit on the disk too. claim_undisked: the same where a commit does not wait for
    the disk, which is what the tables' size could change. claim_behind: undisked, and one person has BEHIND more, of
    which the first runs, and they come before everybody's: each claim steps over them.
    """
    with own_folder() as folder, servers(folder) as settings:
        upgrade(settings.database_url)
        return uvloop.run(_measure(settings.database_url))


async def _measure(url: str) -> Figures:
    async with connected(url) as direct:
        chosen = await filling.conversations(direct, CONVERSATIONS)
        await filling.old(direct, chosen, TURNS_EACH)
        await filling.queue(direct, chosen[:WAITING_IN], WAITING_EACH)
        await direct.execute("ANALYZE")
        figures = {"claim_rows": float(CONVERSATIONS * TURNS_EACH)}
        figures |= spread("claim", await _claims(url, direct))
        # Read when a connection begins.
        await direct.execute(f"ALTER DATABASE {make_url(url).database} SET synchronous_commit = off")
        figures |= spread("claim_undisked", await _claims(url, direct))
        await _one_with_many(direct, chosen[-1])
        return figures | spread("claim_behind", await _claims(url, direct))


async def _claims(url: str, direct: asyncpg.Connection) -> list[float]:
    """Milliseconds of each."""
    database = Database(url, size=1)
    try:
        return await _timed(database, direct)
    finally:
        await database.close()


async def _timed(database: Database, direct: asyncpg.Connection) -> list[float]:
    spent = []
    for _ in range(WARM_UP + CLAIMS):
        began = time.perf_counter()
        claimed = await claim(database, "bench", LEASE_S)
        spent.append((time.perf_counter() - began) * 1000)
        assert claimed is not None
        await direct.execute(_DONE, claimed.id)
        await filling.queue(direct, [str(claimed.turn["conversation_id"])], 1)
    return spent[WARM_UP:]


async def _one_with_many(direct: asyncpg.Connection, conversation: str) -> None:
    """The first of them runs from then on."""
    lease = timedelta(seconds=LEASE_S)
    await filling.queue(direct, [conversation], BEHIND)
    await direct.execute(
        "UPDATE turns SET fair_at = now() - interval '1 day' + seq * interval '1 second'"
        " WHERE state = 'queued' AND conversation_id = $1",
        conversation,
    )
    await direct.execute(
        "UPDATE turns SET state = 'running', lease_until = now() + $2"
        " WHERE state = 'queued' AND conversation_id = $1 AND seq = (SELECT min(seq) FROM turns"
        " WHERE state = 'queued' AND conversation_id = $1)",
        conversation,
        lease,
    )
