"""What a conversation has chosen, changed by a command."""

from __future__ import annotations

import dataclasses
from contextlib import suppress
from typing import Any

from bot.commands.base import Call
from core.catalogue import Avatar
from core.errors import NotFound
from db import conversations, switches


async def choose(call: Call, **columns: Any) -> None:
    """Writes the columns of the conversation; what the call says next already goes by them."""
    await conversations.choose(call.connection, call.conversation_id, **columns)
    call.entry = dataclasses.replace(call.entry, conversation={**call.entry.conversation, **columns})


async def current_avatar(call: Call) -> Avatar | None:
    """The conversation's, else the administrators', else the setting's; None where none of them is there any more."""
    chosen = call.entry.conversation["avatar"]
    everyone = await switches.get(call.connection, switches.DEFAULT_AVATAR)
    for name in filter(None, (chosen, everyone, call.desk.settings.default_avatar)):
        with suppress(NotFound):
            return call.desk.catalogue.avatar(name)
    return None


def in_private(call: Call) -> bool:
    """Whether nobody else reads along; says where to go if not."""
    if call.inbound.group:
        call.say("only-in-private", command=f"/{call.name}")
    return not call.inbound.group
