"""What befalls a PostgreSQL that goes on."""

from __future__ import annotations

import asyncio
import random

import asyncpg

from tests.chaos.troubles.base import GONE, Lasting
from tests.chaos.whole import Whole

_CUT = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname = $1"


class Stopped(Lasting):
    """It stands still for a few seconds, connections and all."""

    def __init__(self) -> None:
        super().__init__("postgres_stop", 3.0)

    async def bite(self, whole: Whole, chance: random.Random) -> dict[str, str]:
        family, seconds = whole.family("postgres"), chance.uniform(1.0, 3.5)
        if not family:
            return GONE
        try:
            for process in family:
                process.suspend()
            await asyncio.sleep(seconds)
        finally:
            for process in family:
                process.resume()
        return {"server": "postgres", "seconds": f"{seconds:.1f}"}


class Cut(Lasting):
    """Every connection to the database is ended by the server."""

    def __init__(self) -> None:
        super().__init__("postgres_cut", 3.0)

    async def bite(self, whole: Whole, chance: random.Random) -> dict[str, str]:
        try:
            connection = await asyncpg.connect(whole.database_url.replace("+asyncpg", ""), timeout=5)
        except (asyncpg.PostgresError, OSError, TimeoutError):
            return GONE
        try:
            cut = await connection.fetchval(_CUT, "smarttalker", timeout=5)
        finally:
            await connection.close(timeout=5)
        return {"server": "postgres", "connections": str(cut)}
