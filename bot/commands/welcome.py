"""/start and /help: what this is, and what can be said to it."""

from __future__ import annotations

from collections.abc import Iterable

from bot.commands import choices, menus
from bot.commands.base import Call
from bot.commands.keeping import kept_for
from bot.commands.language import languages
from core.i18n import message_ids, t


async def start(call: Call) -> None:
    """Who speaks, that it is an AI, what is kept, that emotion is read; the first time also in which language."""
    avatar = await choices.current_avatar(call)
    greeting = "" if avatar is None else menus.named(avatar.persona.greeting, call.language)
    text = t("start", call.language, kept=kept_for(call))
    call.send("notice", text=f"{greeting}\n\n{text}" if greeting else text, id="start")
    if call.entry.begun or not call.entry.conversation["language_chosen"]:
        call.menu("language-menu", languages(call))


def help_text(call: Call, names: Iterable[str]) -> str:
    """A line for each command that has a description."""
    known = message_ids(call.language)
    lines = [
        t("help-line", call.language, command=f"/{name}", does=t(f"command-{name}-short", call.language))
        for name in names
        if f"command-{name}-short" in known
    ]
    return "\n".join((t("help", call.language), "", *lines, "", t("help-end", call.language)))
