"""/language: in which language the bot speaks."""

from __future__ import annotations

from bot.commands import choices, menus
from bot.commands.base import Call, Choice
from core.i18n import t
from core.kinds import LANGUAGES

AUTO = "auto"
OWN_NAMES = {"ar": "العربية", "en": "English"}
"""As their speakers call them, so that anybody finds the one that they read."""
_WORDS = {
    "ar": ("arabic", "عربي", "العربية", "عربية", "بالعربي", "العربي"),
    "en": ("english", "إنجليزي", "الإنجليزية", "انجليزية", "الانجليزي", "بالانجليزي"),
    AUTO: ("automatic", "both", "تلقائي", "تلقائيا", "آلي"),
}


async def run(call: Call) -> None:
    """`/language` asks; `ar` and `en` fix it; `auto` goes by the language of each message."""
    asked = menus.word(call.argument, _WORDS)
    if asked is None:
        return call.menu("language-unknown" if call.argument else "language-menu", languages(call))
    if asked == AUTO:
        await choices.choose(call, language_chosen=False)
        return call.say("language-auto")
    await choices.choose(call, language=asked, language_chosen=True)
    return call.say("language-chosen")


def languages(call: Call) -> list[Choice]:
    """The choices of the menu."""
    conversation = call.entry.conversation
    fixed = conversation["language"] if conversation["language_chosen"] else AUTO
    titles = {**{each: OWN_NAMES[each] for each in LANGUAGES}, AUTO: t("language-auto-title", call.language)}
    return [menus.choice(call, f"/language {key}", title, chosen=key == fixed) for key, title in titles.items()]
