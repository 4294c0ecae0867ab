"""Times of day and spans of them, found in a text of either language."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace

_PART = r"a\.m\.|p\.m\.|a\.m|p\.m|am|pm|(?:ال|بال)?(?:صباح|صبح|ظهر|عصر|مساء|ليل|فجر)[\u0627\u064b-\u0652]*|ص|م"
_MOMENT = rf"(\d{{1,2}})(?::([0-5]\d)(?::[0-5]\d)?)?(?:\s*({_PART})(?![\w\u064b-\u0652]))?"
_BEFORE = r"(?<![\dA-Za-z_.,:/+-])"
_AFTER = r"(?![\dA-Za-z_²³/%°]|[.,:]\d)"
_OCLOCK = r"(?:(الساعة|ساعة|الساعه)\s+)?"
_TO = r"\s*(-|(?<=\s)(?:إلى|الى|حتى|لغاية|to|until|till)(?=\s))\s*"
_SPAN = re.compile(rf"{_OCLOCK}{_BEFORE}{_MOMENT}{_TO}{_OCLOCK}{_MOMENT}{_AFTER}", re.IGNORECASE)
_SINGLE = re.compile(rf"{_OCLOCK}(?:(?<!\w)الـ?)?{_BEFORE}{_MOMENT}{_AFTER}", re.IGNORECASE)
_MAY_HOLD = re.compile(rf"\d\s*(?::\d|{_PART})|الساع", re.IGNORECASE)


@dataclass(frozen=True)
class Moment:
    """hour: 0 to 24. part: `am`, `pm`, a word of the text for the part of the day, or nothing."""

    hour: int
    minute: int
    part: str

    @property
    def clock_hour(self) -> int:
        """1 to 12."""
        return (self.hour - 1) % 12 + 1


Single = Callable[[Moment, str], str]
"""Says a moment, given the text before it."""
Span = Callable[[Moment, Moment, str, str], str]
"""Says a span from its ends, the word (or dash) between them and the text before it."""


def say_times(text: str, single: Single, span: Span) -> str:
    """The text with its times said by `single` and its spans by `span`."""
    if not _MAY_HOLD.search(text):
        return text
    text = _SPAN.sub(lambda found: _span(found, span), text)
    return _SINGLE.sub(lambda found: _single(found, single), text)


def _single(found: re.Match[str], say: Single) -> str:
    moment = _moment(found[2], found[3], found[4])
    clear = found[3] or (found[1] and found[1] != "ساعة") or (moment and moment.part not in ("", "م"))
    if moment is None or not clear:
        return found[0]
    before = found.string[: found.start()] + (f"{found[1]} " if found[1] else "")
    return f"{found[1]} {say(moment, before)}" if found[1] else say(moment, before)


def _span(found: re.Match[str], say: Span) -> str:
    first, last = _moment(found[2], found[3], found[4]), _moment(found[7], found[8], found[9])
    clear = any((found[1], found[3], found[6], found[8], found[4] not in (None, "م"), found[9] not in (None, "م")))
    if first is None or last is None or not clear:
        return found[0]
    if not first.part and not last.part and last.hour > 12 > first.hour:
        first = replace(first, part="am")
    between = f"{found[5]} {found[6]}" if found[6] else found[5]
    said = say(first, last, between, found.string[: found.start()])
    if not found[1]:
        return said
    return f"من {found[1]} {said[3:]}" if said.startswith("من ") else f"{found[1]} {said}"


def _moment(hour: str, minute: str | None, part: str | None) -> Moment | None:
    """None where there is no such time."""
    if int(hour) > 24 or (part and not minute and not 1 <= int(hour) <= 12):
        return None
    return Moment(int(hour), int(minute or 0), _part(part or ""))


def _part(written: str) -> str:
    short = written.lower().replace(".", "")
    return {"ص": "am", "م": "pm"}.get(short, short)
