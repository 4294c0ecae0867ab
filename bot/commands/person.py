"""/usage, /privacy, /export and /delete_me: what is kept of a person."""

from __future__ import annotations

import uuid

from bot.commands import choices, menus
from bot.commands.base import Call
from bot.commands.emotion import SWITCH
from bot.commands.keeping import kept_for
from core.i18n import t
from db import people

_YES_NO = {"yes": SWITCH["on"], "no": SWITCH["off"]}


async def usage(call: Call) -> None:
    """Messages and seconds of video, of the last 24 hours and in all."""
    if not choices.in_private(call):
        return
    used = await people.usage(call.connection, _person(call))
    messages, seconds = menus.told(call, "count-messages"), menus.told(call, "count-seconds")
    call.say(
        "usage",
        today=messages(used.messages_today),
        today_video=seconds(round(used.video_s_today)),
        messages=messages(used.messages),
        video=seconds(round(used.video_s)),
    )


async def privacy(call: Call) -> None:
    call.say("privacy", kept=kept_for(call))


async def export(call: Call) -> None:
    """A task packs everything, and sends it as a document."""
    if not choices.in_private(call):
        return
    if await people.exporting(call.connection, call.conversation_id):
        return call.say("export-under-way")
    await call.task("export", {"contact_id": str(_person(call)), "language": call.language})
    return call.say("export-begun")


async def delete_me(call: Call) -> None:
    """Asks; `/delete_me yes` removes everything that is kept of the person."""
    if not choices.in_private(call):
        return
    answer = menus.word(call.argument, _YES_NO)
    if answer == "yes":
        await call.task("forget", {"contact_id": str(_person(call)), "language": call.language})
        return call.say("delete-begun")
    if answer == "no":
        return call.say("delete-kept")
    rows = [
        menus.choice(call, f"/delete_me {each}", t(f"delete-{each}-title", call.language)) for each in ("yes", "no")
    ]
    return call.menu("delete-menu", rows)


def _person(call: Call) -> uuid.UUID:
    return uuid.UUID(str(call.entry.contact["id"]))
