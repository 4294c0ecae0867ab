"""Connections to PostgreSQL."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from core.errors import DatabaseUnavailable


class Database:
    """A pool of connections; every transaction is one `begin()`, so commits can be counted."""

    def __init__(self, url: str, *, size: int = 10) -> None:
        """url: as SQLAlchemy writes it, `postgresql+asyncpg://…`; `postgres://` and `postgresql://` serve too."""
        self._engine: AsyncEngine = create_async_engine(
            async_url(url), pool_size=size, max_overflow=size, pool_timeout=5, pool_pre_ping=False
        )

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[AsyncConnection]:
        """A transaction: committed at the end, rolled back on an error. Raises DatabaseUnavailable."""
        try:
            async with self._engine.begin() as connection:
                yield connection
        except DBAPIError as error:
            if error.connection_invalidated or isinstance(error, OperationalError | InterfaceError):
                raise DatabaseUnavailable from error
            raise
        except (OSError, TimeoutError) as error:
            raise DatabaseUnavailable from error

    async def close(self) -> None:
        await self._engine.dispose()


def async_url(url: str) -> str:
    """The same URL for asyncpg."""
    scheme, separator, rest = url.partition("://")
    return f"postgresql+asyncpg{separator}{rest}" if scheme in ("postgres", "postgresql") else url
