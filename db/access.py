"""Who may use the bot: people as administrators name them, and an administrator's word about them."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Text, cast, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from db.models import Contact, Conversation

IDS = "_id"
"""How the keys of those addresses end that the platform gives (`Conversation.addresses`)."""


def _named(channel: str, person: str) -> Any:
    """By the platform's id, or by an address that is one (a phone number beside a BSUID), with or without a plus; never
    by a name that people give themselves."""
    spelled = (person, f"+{person}")
    values = func.jsonb_each_text(Conversation.addresses).table_valued("key", "value")
    address = (
        select(values.c.value)
        .where(values.c.key.endswith(IDS, autoescape=True), values.c.value.in_(spelled))
        .correlate(Conversation)
        .exists()
    )
    private = select(Conversation.contact_id).where(Conversation.channel == channel, address)
    return (Contact.channel == channel) & or_(Contact.external_id.in_(spelled), Contact.id.in_(private))


async def people(connection: AsyncConnection, channel: str, person: str) -> Sequence[Mapping[str, Any]]:
    """The contacts of that id on the channel, one for each account of ours: {"id", "external_id", "access",
    "addresses"}."""
    addresses = (
        select(func.jsonb_agg(Conversation.addresses))
        .where(Conversation.contact_id == Contact.id)
        .correlate(Contact)
        .scalar_subquery()
    )
    columns = (Contact.id, Contact.external_id, Contact.access, addresses.label("addresses"))
    rows = await connection.execute(select(*columns).where(_named(channel, person)).order_by(cast(Contact.id, Text)))
    return [dict(row) for row in rows.mappings()]


async def grant(connection: AsyncConnection, contacts: Sequence[uuid.UUID], access: str | None) -> None:
    """access: `allowed`, `banned`, or None as for everyone."""
    await connection.execute(update(Contact).where(Contact.id.in_(contacts)).values(access=access))


async def conversations(connection: AsyncConnection, contacts: Sequence[uuid.UUID]) -> list[uuid.UUID]:
    """Theirs, locked; groups that somebody else owns left out."""
    theirs = select(Conversation.id).where(Conversation.contact_id.in_(contacts)).order_by(Conversation.id)
    return list((await connection.execute(theirs.with_for_update())).scalars())
