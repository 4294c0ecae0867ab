"""What an administrator was asked and has not answered yet: it lies with the conversation for a quarter of an hour."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from bot.commands import choices
from bot.commands.base import Call

FLOW_S = 15 * 60.0


async def begin(call: Call, step: str, **kept: Any) -> None:
    """Asks for `step`; whatever was asked before is forgotten."""
    await choices.choose(call, pending={"command": step, "until": time.time() + FLOW_S, **kept})


def current(call: Call) -> Mapping[str, Any] | None:
    """{"command", …} of what is still asked."""
    pending = call.entry.conversation["pending"]
    return pending if pending is not None and pending.get("until", 0.0) > time.time() else None


async def end(call: Call) -> None:
    await choices.choose(call, pending=None)
