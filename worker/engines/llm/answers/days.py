"""Days of the week, by name or seen from today."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from zoneinfo import ZoneInfo

from core.persona import WEEK, Entity
from core.persona.clock import Clock
from core.text import fold
from worker.engines.llm.answers.arabic import names_in

_MORE_NAMES = {
    "monday": "mon",
    "tuesday": "الثلاث tue tues",
    "wednesday": "wed",
    "thursday": "thu thur thurs",
    "friday": "fri",
    "saturday": "sat",
    "sunday": "الاحاد sun",
}
"""Beside those that `WEEK` has: what is understood and never said."""
_WORD_DAY = frozenset(fold("يوم ليلة نهار ايام صباح مساء صبح").split())
_FROM_TODAY = {
    **dict.fromkeys(
        fold("اليوم النهارده النهاردة انهارده هاليوم اليومين الليلة الليله هالليلة tonight today").split(), 0
    ),
    **dict.fromkeys(fold("غدا غد بكرة بكره بكرا باكر باچر بكير tomorrow tomorow tommorow tomorrows").split(), 1),
}
_AFTER = frozenset(fold("بعد after").split())
_PER = frozenset(fold("في كل per every each باليوم الى").split())
_NOT_NAMES = frozenset(("mon", "sat", "sun", "wed"))
"""Short forms that are words too: only understood after `on` or `this`."""
_BEFORE_SHORT = frozenset(("on", "this", "next", "and"))


def _index() -> dict[str, Entity]:
    names: dict[str, Entity] = {}
    for day in WEEK:
        own = [name for said in day.names.values() for name in said] + _MORE_NAMES[day.id].split()
        for name in own:
            names.setdefault(fold(name), day)
    return names


_DAYS = _index()
_BARE = {name[2:]: day for name, day in _DAYS.items() if name.startswith("ال")}
"""Without the article: understood after the word `day` alone, because one of them is `someone` and another `two`."""


def days(words: Sequence[str], today: int) -> Iterator[tuple[int, int, Entity]]:
    """(place, words, day) of each day that folded words name. today: 0 is Monday."""
    for place, word in enumerate(words):
        if day := _named(words, place):
            yield place, 1, day
        elif word in _FROM_TODAY and not (word == "اليوم" and place and words[place - 1] in _PER):
            yield place, 1, WEEK[(today + _FROM_TODAY[word] + _one_more(words, place)) % 7]


def weekday(clock: Clock, zone: ZoneInfo) -> int:
    """Today, 0 for Monday; the moment is the clock's."""
    return clock(zone).weekday()


def _named(words: Sequence[str], place: int) -> Entity | None:
    word, before = words[place], words[place - 1] if place else ""
    if word in _NOT_NAMES and before not in _BEFORE_SHORT:
        return None
    if before in _WORD_DAY and word in _BARE:
        return _BARE[word]
    return next((_DAYS[form] for form in names_in(word) if form in _DAYS), None)


def _one_more(words: Sequence[str], place: int) -> int:
    """`بعد بكرة`, `the day after tomorrow`."""
    return (
        1 if place and words[place - 1] in _AFTER and words[place] in _FROM_TODAY and _FROM_TODAY[words[place]] else 0
    )
