"""Which commands there are, and what becomes of a line that begins with a slash or comes from a button."""

from __future__ import annotations

from collections.abc import Mapping

from rapidfuzz import fuzz, process

from bot.commands import avatar, emotion, language, mode, person, talk, voice, welcome
from bot.commands.admin import ADMIN
from bot.commands.base import Call, Handler
from core.text import fold

LIKE = 60.0
"""RapidFuzz's ratio, 0 to 100, from which a command is probably what was meant: two wrong letters of six."""
_KEPT = 64
"""Characters of a name that are looked at: no command is longer."""


async def _help(call: Call) -> None:
    names = (*PUBLIC, *ADMIN) if call.is_admin else PUBLIC
    call.send("notice", text=welcome.help_text(call, names), id="help")


_PUBLIC: Mapping[str, Handler] = {
    "start": welcome.start,
    "help": _help,
    "avatar": avatar.run,
    "voice": voice.run,
    "language": language.run,
    "mode": mode.run,
    "emotion": emotion.run,
    "reset": talk.reset,
    "cancel": talk.cancel,
    "usage": person.usage,
    "privacy": person.privacy,
    "export": person.export,
    "delete_me": person.delete_me,
}
PUBLIC = tuple(_PUBLIC)
"""Names in the order in which /help lists them."""

ALIASES: Mapping[str, tuple[str, ...]] = {
    "start": ("ابدأ", "بدء", "ابدا", "البداية"),
    "help": ("مساعدة", "المساعدة", "ساعدني", "؟", "?"),
    "avatar": ("avatars", "الشخصية", "شخصية", "الشخصيات", "الأفاتار", "أفاتار"),
    "voice": ("voices", "الصوت", "صوت", "الأصوات"),
    "language": ("lang", "اللغة", "لغة"),
    "mode": ("الوضع", "وضع", "الشكل", "الأجزاء"),
    "emotion": ("emotions", "المشاعر", "مشاعر"),
    "reset": ("new", "من جديد", "إعادة", "جديد", "انس", "امسح"),
    "cancel": ("stop", "إلغاء", "الغاء", "ألغ", "توقف"),
    "usage": ("الاستخدام", "استخدام", "استخدامي"),
    "privacy": ("الخصوصية", "خصوصية", "الخصوصيه"),
    "export": ("تصدير", "بياناتي", "نسخة"),
    "delete_me": ("delete", "deleteme", "forget_me", "احذفني", "احذف بياناتي", "حذف بياناتي", "انسني"),
}
"""What else people type; written in any spelling, with blanks or underscores."""


def _plain(name: str) -> str:
    return fold(name[:_KEPT]) or name[:_KEPT]


_NAMES = {_plain(alias): name for name in PUBLIC for alias in (name, *ALIASES[name])}


def _split(line: str) -> tuple[str, str]:
    """A line's command, without the name of the bot that some put behind it, and the argument."""
    name, argument = [*line.split(None, 1), "", ""][:2]
    return _plain(name.partition("@")[0]), argument


def known(line: str) -> bool:
    """Whether a text is a public command, for a channel on which a slash may well begin a question."""
    return line.startswith("/") and _split(line[1:])[0] in _NAMES


async def run(call: Call) -> None:
    """Runs the command of the call's line; says what was probably meant where there is none of that name."""
    call.name, call.argument = _split(f"{call.name} {call.argument}")
    handler = _handler(call)
    if handler is None:
        _unknown(call)
    else:
        await handler(call)
    _acknowledge(call)


def _handler(call: Call) -> Handler | None:
    if call.is_admin:
        for name, handler in ADMIN.items():
            if call.name == _plain(name):
                call.name = name
                return handler
    if (name := _NAMES.get(call.name, "")) in _PUBLIC:
        call.name = name
        return _PUBLIC[name]
    return None


def _unknown(call: Call) -> None:
    if call.inbound.choice is not None:
        return call.say("unknown-button")
    meant = process.extractOne(call.name, _NAMES.keys(), scorer=fuzz.ratio, score_cutoff=LIKE)
    if meant is None:
        return call.say("unknown-command")
    return call.say("unknown-command-like", command=f"/{_NAMES[meant[0]]}")


def _acknowledge(call: Call) -> None:
    """The first reply to a button's press also ends the sign that it was pressed."""
    if call.inbound.choice_token and call.effects.replies:
        call.effects.replies[0]["payload"].setdefault("choice_token", call.inbound.choice_token)
