"""Alembic, called from the program; not even imported where the tables are as they should be."""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING

from core.settings import HOME
from db.sessions import async_url

if TYPE_CHECKING:
    from alembic.config import Config

_REVISION = re.compile(r'^(down_)?revision = "(\w+)"', re.MULTILINE)


def upgrade(url: str, revision: str = "head") -> None:
    """Brings the database to a revision; several processes may call it at once. Raises DatabaseUnavailable."""
    if revision == "head" and asyncio.run(_current(url)) == head():
        return
    from alembic import command

    command.upgrade(config(url), revision)


def downgrade(url: str, revision: str) -> None:
    from alembic import command

    command.downgrade(config(url), revision)


def config(url: str) -> Config:
    from alembic.config import Config

    made = Config(str(HOME / "alembic.ini"))
    made.attributes["url"] = async_url(url)
    return made


def head() -> str:
    """The newest revision: the one that no other stands on."""
    found: list[list[tuple[str, str]]] = [
        _REVISION.findall(path.read_text()) for path in (HOME / "migrations" / "versions").glob("*.py")
    ]
    below = {name for file in found for down, name in file if down}
    return next(name for file in found for down, name in file if not down and name not in below)


async def _current(url: str) -> str | None:
    """The database's revision; None where it has none, or does not answer (then Alembic says why)."""
    import asyncpg

    try:
        connection = await asyncpg.connect(async_url(url).replace("postgresql+asyncpg", "postgresql", 1), timeout=5)
    except (OSError, TimeoutError, asyncpg.PostgresError):
        return None
    try:
        found = await connection.fetchval("SELECT version_num FROM alembic_version")
    except asyncpg.PostgresError:
        return None
    finally:
        await connection.close()
    return None if found is None else str(found)
