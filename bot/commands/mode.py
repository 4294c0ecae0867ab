"""/mode: which parts an answer has."""

from __future__ import annotations

import re

from bot.commands import choices, menus
from bot.commands.base import Call, Choice
from core.i18n import t
from core.kinds import Mode

EVERYTHING = "all"
_WORDS = {
    Mode.TEXT.value: ("txt", "written", "نص", "كتابة", "النص", "نصي", "مكتوب"),
    Mode.VOICE.value: ("audio", "sound", "صوت", "الصوت", "صوتي", "صوتية"),
    Mode.VIDEO.value: ("clip", "فيديو", "الفيديو", "مرئي"),
    EVERYTHING: ("everything", "full", "الكل", "كل شيء", "كامل", "كله", "جميع"),
}
_AND = {"and", "with", "only", "مع", "فقط", "و"}
SETS = (
    (EVERYTHING, "mode-all", (Mode.TEXT, Mode.VOICE, Mode.VIDEO)),
    ("video", "mode-video", (Mode.VIDEO,)),
    ("text video", "mode-text-video", (Mode.TEXT, Mode.VIDEO)),
    ("text voice", "mode-text-voice", (Mode.TEXT, Mode.VOICE)),
    ("text", "mode-text", (Mode.TEXT,)),
)
"""What the menu offers: argument, title, parts."""


async def run(call: Call) -> None:
    """`/mode` asks; `/mode video text` or `/mode نص وفيديو` choose the parts."""
    parts = _parts(call.argument)
    if not parts:
        return call.menu("mode-unknown" if call.argument else "mode-menu", _choices(call))
    await choices.choose(call, modes=parts)
    return call.say("mode-chosen", parts=[t(f"part-{part}", call.language) for part in parts])


def _parts(argument: str) -> list[str]:
    """The parts in the order in which they are sent; empty where a word is unknown."""
    if menus.word(argument, _WORDS) == EVERYTHING:
        return [mode.value for mode in Mode]
    named = {_part(each) for each in re.split(r"[\s,،;+&]+", argument) if each and each.lower() not in _AND}
    if EVERYTHING in named and None not in named:
        return [mode.value for mode in Mode]
    return [] if None in named else [mode.value for mode in Mode if mode.value in named]


def _part(said: str) -> str | None:
    """ "وفيديو" is "and video"."""
    return menus.word(said, _WORDS) or (menus.word(said[1:], _WORDS) if said.startswith("و") else None)


def _choices(call: Call) -> list[Choice]:
    current = set(call.entry.conversation["modes"] or list(Mode))
    return [
        menus.choice(call, f"/mode {argument}", t(title, call.language), chosen=current == set(parts))
        for argument, title, parts in SETS
    ]
