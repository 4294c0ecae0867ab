"""Times of day and spans of them, found in a text of either language."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace

from core.text.calendar import ARABIC_WEEKDAYS, WEEKDAYS

_PART = r"a\.m\.|p\.m\.|a\.m|p\.m|am|pm|(?:ال|بال)?(?:صباح|صبح|ظهر|عصر|مساء|ليل|فجر)[\u0627\u064b-\u0652]*|ص|م"
_MOMENT = rf"(\d{{1,2}})(?::([0-5]\d)(?::[0-5]\d)?)?(?:\s*({_PART})(?![\w\u064b-\u0652]))?"
_BEFORE = r"(?<![\dA-Za-z_.,:/+-])"
_AFTER = r"(?![\dA-Za-z_²³/%°]|[.,:]\d)"
_OCLOCK = r"(?:(الساعة|ساعة|الساعه)\s+)?"
_TO = r"\s*(-|(?<=\s)(?:إلى|الى|حتى|لغاية|to|until|till)(?=\s))\s*"
_SPAN = re.compile(rf"{_OCLOCK}{_BEFORE}{_MOMENT}{_TO}{_OCLOCK}{_MOMENT}{_AFTER}", re.IGNORECASE)
_SINGLE = re.compile(rf"{_OCLOCK}(?:(?<!\w)الـ?)?{_BEFORE}{_MOMENT}{_AFTER}", re.IGNORECASE)
_MAY_HOLD = re.compile(rf"\d\s*(?::\d|{_PART}|-|إلى|الى|حتى|to|until|till)|الساع", re.IGNORECASE)
_DAY_OF_24 = re.compile(r"(?<![\d:.,/])(?:1[3-9]|2[0-4]):[0-5]\d(?![\d:])")
"""A time that shows that the text counts the hours of the day from 0 to 24."""
_BETWEEN = re.compile(rf"(بين\s+\d{{1,2}})(\s+و\s?ـ?\d{{1,2}}(\s+(?:{_PART}))(?![\w\u064b-\u0652]))")
_OPENING = (
    "نفتح|[يت]فتحو?ن?|مفتوح(?:ة|ين|ون)?|فاتحين|(?:ال|بال)?دوام\\w*|نعمل|[يت]عمل|نداوم|يداوم|الساعات|أوقات\\w*|"
    "(?:ساعات|أوقات|مواعيد) (?:ال)?(?:عمل|دوام|زيارة|استقبال)\\w*|يوميًا|يوميا|كل يوم|"
    "open|hours|opening|daily|every day"
)
_HOURS = re.compile(
    rf"(?<!\w)(?:{_OPENING}|{ARABIC_WEEKDAYS}|{'|'.join(WEEKDAYS.values())})(?!\w)[^\d.!?؟؛،,]{{0,25}}\Z", re.IGNORECASE
)
"""Behind it two bare numbers are hours."""
_COUNTED = re.compile(
    r"\s*(?:%|(?:أيام|يوم(?!ي)|ساعات|ساعة|دقائق|دقيقة|أشهر|شهور|أسابيع|سنوات|ريال|موظف|فرو?ع|أشخاص|days|hours|minutes|weeks|months|years|"
    r"people|branches|shops|working)\w*)"
)
_FROM = re.compile(r"(?<!\w)(?:من|from)\s+\Z", re.IGNORECASE)
_LASTING = re.compile(
    r"(?<![\w.,:/])(?<!الساعة )(\d{1,3}):([0-5]\d)\s+(دقيقة|دقائق|ساعة|ساعات|min(?:ute)?s?|hours?)(?![\w\u064b-\u0652])"
)


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
    whole_day = bool(_DAY_OF_24.search(text))
    text = _SPAN.sub(lambda found: _span(found, span, whole_day), _BETWEEN.sub(r"\1\3\2", text))
    return _SINGLE.sub(lambda found: _single(found, single, whole_day), text)


def say_lengths(text: str, link: str, minute: str, second: str) -> str:
    """`1:30 دقيقة` as one minute and thirty seconds, `1:30 hours` as one hour and thirty minutes, in figures with their
    nouns; a half as .5."""

    def said(found: re.Match[str]) -> str:
        whole, rest, unit = int(found[1]), int(found[2]), found[3]
        part = second if unit.startswith(("دق", "min")) else minute
        if rest == 30:
            return f"{whole}.5 {unit}"
        return link.join([f"{whole} {unit}"] * (whole > 0) + [f"{rest} {part}"] * (rest > 0))

    return _LASTING.sub(said, text) if ":" in text else text


def _single(found: re.Match[str], say: Single, whole_day: bool) -> str:
    moment = _moment(found[2], found[3], found[4], whole_day)
    clear = found[3] or (found[1] and found[1] != "ساعة") or (moment and moment.part not in ("", "م"))
    if moment is None or not clear:
        return found[0]
    before = found.string[: found.start()] + (f"{found[1]} " if found[1] else "")
    return f"{found[1]} {say(moment, before)}" if found[1] else say(moment, before)


def _span(found: re.Match[str], say: Span, whole_day: bool) -> str:
    first = _moment(found[2], found[3], found[4], whole_day)
    last = _moment(found[7], found[8], found[9], whole_day)
    clear = any((found[1], found[3], found[6], found[8], found[4] not in (None, "م"), found[9] not in (None, "م")))
    if first is None or last is None or not (clear or _are_hours(found, first, last)):
        return found[0]
    if not first.part and not last.part and last.hour > 12 > first.hour:
        first = replace(first, part="am")
    between = f"{found[5]} {found[6]}" if found[6] else found[5]
    said = say(first, last, between, found.string[: found.start()])
    if not found[1]:
        return said
    return f"من {found[1]} {said[3:]}" if said.startswith("من ") else f"{found[1]} {said}"


def _are_hours(found: re.Match[str], first: Moment, last: Moment) -> bool:
    """Whether two bare numbers are the hours of opening: such words go before, or `from` and they go down."""
    if not 0 < last.hour <= 12 or not 0 < first.hour <= 12 or _COUNTED.match(found.string, found.end()):
        return False
    before = found.string[max(0, found.start() - 60) : found.start()]
    return bool(_HOURS.search(before)) or (found[5] == "-" and first.hour > last.hour and bool(_FROM.search(before)))


def _moment(hour: str, minute: str | None, part: str | None, whole_day: bool) -> Moment | None:
    """None where there is no such time. whole_day: whether hours run from 0 to 24."""
    if int(hour) > 24 or (part and not minute and not 1 <= int(hour) <= 12):
        return None
    if not part and minute and int(hour) < 12 and (whole_day or hour.startswith("0")):
        part = "am"
    return Moment(int(hour), int(minute or 0), _part(part or ""))


def _part(written: str) -> str:
    short = written.lower().replace(".", "")
    return {"ص": "am", "م": "pm"}.get(short, short)
