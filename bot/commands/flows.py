"""Commands that wait for more than one message."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from bot.commands import admin_avatars, admin_pending, admin_voices
from bot.commands.base import Call

Step = Callable[[Call, Mapping[str, Any]], Awaitable[bool]]

_STEPS: Mapping[str, Step] = {
    admin_avatars.NAME: admin_avatars.named,
    admin_avatars.PHOTO: admin_avatars.wanted,
    admin_voices.NOTE: admin_voices.note,
    admin_voices.CONSENT: admin_voices.note,
}


async def take(call: Call) -> bool:
    """Whether the message was what a command waited for; an administrator's photo always is a new avatar."""
    if not call.is_admin:
        return False
    remote = call.inbound.remote
    if remote is not None and remote["kind"] == "photo":
        return await admin_avatars.photo(call, remote)
    pending = admin_pending.current(call)
    step = None if pending is None else _STEPS.get(pending["command"])
    return False if step is None or pending is None or call.inbound.corrects else await step(call, pending)
