"""What administrators did: every act leaves a row, without the texts of anybody's messages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from db.models import Audit


async def write(connection: AsyncConnection, actor: str, act: str, target: str | None = None, **details: Any) -> None:
    """In the transaction of the act itself. actor: channel:id, `api` or `command line`."""
    await connection.execute(insert(Audit).values(actor=actor, act=act, target=target, details=details))


async def newest(connection: AsyncConnection, limit: int) -> Sequence[Mapping[str, Any]]:
    """The last acts, newest first."""
    rows = await connection.execute(select(*Audit.__table__.columns).order_by(Audit.id.desc()).limit(limit))
    return [dict(row) for row in rows.mappings()]
