"""Connections to PostgreSQL."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from core.errors import DatabaseUnavailable

AWAY = ("08", "28", "3D", "40", "53", "57P", "58")
"""SQLSTATE classes in which the statement is not at fault: connection, authorisation, no such database, a transaction
rolled back by the server, resources, the operator (a shutdown), the server's system."""

CONNECT_S = 5.0
STATEMENT_S = 30.0
"""No statement takes longer, whatever the tables hold."""


class Database:
    """A pool of connections; every transaction is one `begin()`, so commits can be counted."""

    def __init__(self, url: str, *, size: int = 20) -> None:
        """url: as SQLAlchemy writes it, `postgresql+asyncpg://…`; `postgres://` and `postgresql://` serve too. size:
        the most connections. Those that a rush has opened are kept: opening one takes far longer than a transaction."""
        self._engine: AsyncEngine = create_async_engine(
            async_url(url),
            pool_size=size,
            max_overflow=0,
            pool_timeout=5,
            pool_pre_ping=False,
            # A server that is gone without a word is away too.
            connect_args={"timeout": CONNECT_S, "command_timeout": STATEMENT_S},
            # What people write is a parameter, and an error's text goes into the log.
            hide_parameters=True,
        )

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[AsyncConnection]:
        """A transaction: committed at the end, rolled back on an error. Raises DatabaseUnavailable."""
        with database_errors():
            async with self._engine.begin() as connection:
                yield connection

    async def close(self) -> None:
        await self._engine.dispose()


@contextmanager
def database_errors() -> Iterator[None]:
    """A server that is away, or that takes nobody in, as DatabaseUnavailable; other errors pass."""
    try:
        yield
    except DBAPIError as error:
        state = str(getattr(error.orig, "sqlstate", None) or "")
        if state.startswith(AWAY):
            raise DatabaseUnavailable(f"PostgreSQL: {_said(error)}; check SMARTTALKER_DATABASE_URL") from error
        if error.connection_invalidated or isinstance(error, OperationalError | InterfaceError):
            raise DatabaseUnavailable from error
        raise
    except (OSError, TimeoutError, PoolTimeout) as error:
        raise DatabaseUnavailable from error


def _said(error: DBAPIError) -> str:
    """The server's own words without the driver's class names."""
    return str(error.orig).rpartition(">: ")[2]


def async_url(url: str) -> str:
    """The same URL for asyncpg."""
    scheme, separator, rest = url.partition("://")
    return f"postgresql+asyncpg{separator}{rest}" if scheme in ("postgres", "postgresql") else url
