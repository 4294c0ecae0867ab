"""/reset and /cancel: what is remembered of the talk, and what is still to be answered."""

from __future__ import annotations

from bot.commands import choices, menus
from bot.commands.base import Call
from db import conversations


async def reset(call: Call) -> None:
    """The next question is read without those before it; choices stay."""
    forgotten = await conversations.forget_history(call.connection, call.conversation_id)
    call.say("reset-done" if forgotten else "reset-nothing")


async def cancel(call: Call) -> None:
    """Everything that is not answered yet: what waits ends at once, what runs is asked to stop."""
    stopped = await conversations.cancel_open(call.connection, call.conversation_id)
    call.effects.cancels += stopped.running
    asked = call.entry.conversation["pending"] is not None
    if asked:
        await choices.choose(call, pending=None)
    if stopped.count:
        call.say("cancel-done", count=menus.told(call, "count-answers")(stopped.count))
    else:
        call.say("cancel-question" if asked else "cancel-nothing")
