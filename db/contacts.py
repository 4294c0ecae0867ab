"""Who writes to us."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from functools import cache
from typing import Any

from sqlalchemy import Executable, bindparam, func
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from core.messages import Inbound
from db.models import Contact


async def seen(connection: AsyncConnection, inbound: Inbound, external_id: str, name: str | None) -> Mapping[str, Any]:
    """The contact's row, made where it is new; a name that is not known leaves the one that is."""
    values = {
        "id": uuid.uuid4(),
        "channel": inbound.channel,
        "account": inbound.account,
        "external_id": external_id,
        "display_name": name,
    }
    return dict((await connection.execute(_seen(), values)).mappings().one())


@cache
def _seen() -> Executable:
    """Built once: building takes longer than executing."""
    names = ("id", "channel", "account", "external_id", "display_name")
    row = upsert(Contact).values({name: bindparam(name) for name in names})
    return row.on_conflict_do_update(
        index_elements=["channel", "account", "external_id"],
        set_={
            "last_seen_at": func.now(),
            "display_name": func.coalesce(row.excluded.display_name, Contact.display_name),
        },
    ).returning(*Contact.__table__.columns)
