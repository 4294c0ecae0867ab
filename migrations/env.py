"""What Alembic runs: online, on the URL that db.migrate hands over, one process at a time."""

from __future__ import annotations

import asyncio

from alembic import context
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from db.models import Base
from db.sessions import database_errors

LOCK = 0x534D5441
"""The advisory lock's number ("SMTA"): held for the transaction, so that two processes never migrate at once."""


def run(connection: Connection) -> None:
    context.configure(connection=connection, target_metadata=Base.metadata, compare_server_default=True)
    with context.begin_transaction():
        connection.execute(text(f"SELECT pg_advisory_xact_lock({LOCK})"))
        context.run_migrations()


async def online() -> None:
    engine = create_async_engine(context.config.attributes["url"], poolclass=NullPool)
    try:
        with database_errors():
            async with engine.begin() as connection:
                await connection.run_sync(run)
    finally:
        await engine.dispose()


asyncio.run(online())
