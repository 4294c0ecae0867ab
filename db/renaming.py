"""Chats that the platform calls otherwise from now on."""

from __future__ import annotations

from functools import cache

from sqlalchemy import ARRAY, Executable, Text, any_, bindparam, literal, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.orm import InstrumentedAttribute

from core.messages import Inbound
from db.models import Contact, Conversation

_NAMED: tuple[tuple[type[Conversation] | type[Contact], InstrumentedAttribute[str]], ...] = (
    (Conversation, Conversation.external_chat_id),
    (Contact, Contact.external_id),
)
"""Where the platform's name of a chat stands, and that of who writes there."""


async def rename(connection: AsyncConnection, inbound: Inbound) -> None:
    """What went by one of the message's other names stays the same conversation and contact."""
    former = {"channel": inbound.channel, "account": inbound.account, "names": list(inbound.known_as)}
    if not await connection.scalar(_goes_by(), former):
        return
    names = (inbound.chat_id, inbound.chat_id if inbound.group else inbound.sender_id)
    for (table, column), new in zip(_NAMED, names, strict=True):
        ours = (table.channel == inbound.channel, table.account == inbound.account)
        taken = select(literal(1)).where(*ours, column == new)
        former_ones = update(table).where(*ours, column.in_(inbound.known_as), ~taken.correlate(None).exists())
        await connection.execute(former_ones.values({column: new}))


@cache
def _goes_by() -> Executable:
    """Whether anything still goes by one of the names, as hardly anything does; built once: building takes longer than
    executing."""
    former = [
        select(literal(1))
        .where(
            table.channel == bindparam("channel"),
            table.account == bindparam("account"),
            column == any_(bindparam("names", type_=ARRAY(Text))),
        )
        .exists()
        for table, column in _NAMED
    ]
    return select(or_(*former))
