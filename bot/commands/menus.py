"""Menus that fit every channel: paged, titles cut, the choice that is in force marked."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from bot.channels.base import Limits
from bot.commands.base import Call, Choice
from core.i18n import t
from core.text import fold

DESCRIPTION = 72
"""Characters: a list row's description on WhatsApp (developers.facebook.com/docs/whatsapp, interactive list)."""
CHOSEN = "✓ "

_PAGE = re.compile(r"page (\d{1,4})")
_T = TypeVar("_T")


def page_of(argument: str) -> int | None:
    """3 for "page 3", what the buttons between pages send; 1 for nothing; None for any other argument."""
    if not argument:
        return 1
    asked = _PAGE.fullmatch(fold(argument))
    return int(asked[1]) if asked else None


def paged(items: Sequence[_T], page: int, limits: Limits) -> tuple[Sequence[_T], int, int]:
    """The items of a page, its number (brought within the bounds), and how many pages there are.

    Where one page is not enough, each leaves two places for the way back and forth.
    """
    if len(items) <= limits.menu_choices:
        return items, 1, 1
    size = limits.menu_choices - 2
    pages = -(-len(items) // size)
    page = min(max(page, 1), pages)
    return items[(page - 1) * size : page * size], page, pages


def turning(call: Call, command: str, page: int, pages: int) -> list[Choice]:
    """The choices that lead to the pages before and after this one."""
    ways = (("menu-earlier", page - 1), ("menu-more", page + 1))
    return [
        Choice(f"/{command} page {other}", cut(t(words, call.language), call.limits.button_title))
        for words, other in ways
        if 1 <= other <= pages
    ]


def choice(call: Call, line: str, title: str, *, chosen: bool = False, description: str | None = None) -> Choice:
    """A choice within the channel's limits. line: the command line that it runs, within limits.choice_bytes."""
    assert len(line.encode()) <= call.limits.choice_bytes, len(line)
    shown = cut(f"{CHOSEN}{title}" if chosen else title, call.limits.button_title)
    return Choice(line, shown, None if description is None else cut(description, DESCRIPTION))


def line_for(call: Call, command: str, value: str, number: int) -> str:
    """`/command value`, or with the number in the value's place where the channel's buttons can't carry that much."""
    line = f"/{command} {value}"
    return line if len(line.encode()) <= call.limits.choice_bytes else f"/{command} {number}"


def cut(text: str, length: int) -> str:
    """At most so many UTF-16 code units, the last one an ellipsis where something is left out."""
    plain = " ".join(text.split())
    if _units(plain) <= length:
        return plain
    while _units(plain) > length - 1:
        plain = plain[:-1]
    return f"{plain.rstrip()}…"


def _units(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


def named(texts: Mapping[str, str], language: str) -> str:
    """A localised text in the language, else in any that it has."""
    return texts.get(language) or next(iter(texts.values()), "")


def word(argument: str, words: Mapping[str, Sequence[str]]) -> str | None:
    """The key whose words the argument is one of, however it is spelled; None for any other."""
    asked = fold(argument)
    return next((key for key, spelled in words.items() if asked in map(fold, (key, *spelled))), None)


def told(call: Call, counter: str) -> Callable[[int], str]:
    """Counts in words, in the plural form that the number asks for."""
    return lambda n: t(counter, call.language, n=n)
