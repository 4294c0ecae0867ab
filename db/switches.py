"""What administrators change for everyone, in effect at once and in every process."""

from __future__ import annotations

from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, Executable, ScalarSelect, bindparam, delete, func, literal, select
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from db.models import Switch

PAUSED = "paused"
"""While it is on, no turn is claimed; messages are taken in, and wait."""
DEFAULT_AVATAR = "default_avatar"


def chosen(name: str) -> ScalarSelect[Any]:
    """The switch's value as an expression; NULL where it is off."""
    return select(Switch.value["value"].astext).where(Switch.name == name).scalar_subquery()


def on(name: str) -> ColumnElement[bool]:
    return select(literal(1)).where(Switch.name == name).exists()


async def get(connection: AsyncConnection, name: str) -> str | None:
    value = await connection.scalar(_value(), {"name": name})
    return None if value is None else str(value)


@cache
def _value() -> Executable:
    """Built once: building takes longer than executing."""
    return select(Switch.value["value"].astext).where(Switch.name == bindparam("name"))


async def turn_on(connection: AsyncConnection, name: str, value: str = "yes") -> None:
    row = upsert(Switch).values(name=name, value={"value": value})
    changed = {"value": row.excluded.value, "changed_at": func.now()}
    await connection.execute(row.on_conflict_do_update(index_elements=["name"], set_=changed))


async def turn_off(connection: AsyncConnection, name: str) -> None:
    await connection.execute(delete(Switch).where(Switch.name == name))
