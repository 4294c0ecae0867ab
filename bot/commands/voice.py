"""/voice: in whose voice answers are spoken."""

from __future__ import annotations

from bot.commands import choices, menus
from bot.commands.base import Call, Choice
from core.catalogue import Voice
from core.errors import NotFound
from core.i18n import t

OWN = "default"
_WORDS = {OWN: ("own", "auto", "الأصلي", "الافتراضي", "افتراضي", "صوت الشخصية", "تلقائي")}


async def run(call: Call) -> None:
    """`/voice` shows all; `/voice sara`, `/voice سارة`, `/voice ٢` choose one; `/voice default` the avatar's own."""
    page = menus.page_of(call.argument)
    if page is not None:
        return _show(call, "voice-menu", page)
    if menus.word(call.argument, _WORDS) is not None:
        await choices.choose(call, voice=None)
        return call.say("voice-own")
    try:
        voice = call.desk.catalogue.find_voice(call.argument)
    except NotFound:
        return _show(call, "voice-unknown", 1)
    await choices.choose(call, voice=voice.id)
    return call.say("voice-chosen", name=menus.named(voice.name, call.language))


def _show(call: Call, message_id: str, page: int) -> None:
    all_of_them: list[tuple[int, Voice | None]] = [(0, None), *enumerate(call.desk.catalogue.voices(), start=1)]
    shown, page, pages = menus.paged(all_of_them, page, call.limits)
    rows = [_choice(call, number, voice) for number, voice in shown]
    call.menu(message_id, [*rows, *menus.turning(call, "voice", page, pages)])


def _choice(call: Call, number: int, voice: Voice | None) -> Choice:
    current = call.entry.conversation["voice"]
    if voice is None:
        return menus.choice(call, f"/voice {OWN}", t("voice-own-title", call.language), chosen=current is None)
    line = menus.line_for(call, "voice", voice.id, number)
    title = f"{number}. {menus.named(voice.name, call.language)}"
    return menus.choice(call, line, title, chosen=voice.id == current)
