"""Dates, found in a text of either language."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

MONTHS = (
    ("January", "يناير"), ("February", "فبراير"), ("March", "مارس"), ("April", "أبريل"), ("May", "مايو"),
    ("June", "يونيو"), ("July", "يوليو"), ("August", "أغسطس"), ("September", "سبتمبر"), ("October", "أكتوبر"),
    ("November", "نوفمبر"), ("December", "ديسمبر"),
)  # fmt: skip
"""English and Arabic, as the Gulf and Egypt name them."""
_LEVANT = (
    "كانون الثاني", "شباط", "آذار", "نيسان", "أيار", "حزيران", "تموز", "آب", "أيلول", "تشرين الأول", "تشرين الثاني",
    "كانون الأول",
)  # fmt: skip
HIJRI = (
    ("Muharram", "محرم"), ("Safar", "صفر"), ("Rabi al-Awwal", "ربيع الأول"), ("Rabi al-Thani", "ربيع الآخر"),
    ("Jumada al-Ula", "جمادى الأولى"), ("Jumada al-Akhirah", "جمادى الآخرة"), ("Rajab", "رجب"), ("Shaban", "شعبان"),
    ("Ramadan", "رمضان"), ("Shawwal", "شوال"), ("Dhu al-Qadah", "ذي القعدة"), ("Dhu al-Hijjah", "ذي الحجة"),
)  # fmt: skip
"""English and Arabic, the latter as they stand behind من."""
_HIJRI = (
    r"محرم|صفر(?=\s+1[345]\d\d)|ربيع الأول|ربيع الآخر|ربيع الثاني|جمادى الأولى|جمادى الآخرة|رجب|شعبان|رمضان|شوال|"
    "ذو القعدة|ذي القعدة|ذو الحجة|ذي الحجة"
)
_SPELLINGS = "ابريل|إبريل|اغسطس|اكتوبر"
_SHORT = "Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept|Sep|Oct|Nov|Dec"
_LATIN = rf"(?:(?:{'|'.join(english for english, _ in MONTHS)})\b|(?:{_SHORT})\b\.?)"
_ARABIC = "|".join([*(arabic for _, arabic in MONTHS), *_LEVANT, _HIJRI, _SPELLINGS])
_MONTH = rf"({_LATIN}|(?:{_ARABIC})(?![\w\u064b-\u0652]))"
_B, _A = r"(?<![\w.,:/+-])(?<![\d])", r"(?![\w%]|[.,:/-]\d)"
_PREFIXED = r"(?<![\dA-Za-z_.,:/+-])"
_TH = r"(?:st|nd|rd|th)?"
_YEAR = r"(?:,?\s+(?:عام\s+|سنة\s+|لعام\s+)?(\d{4})(?:\s?(هـ|ه|م)(?!\w))?)?"

_YMD = re.compile(rf"{_PREFIXED}(\d{{4}})([-/.])(\d{{1,2}})\2(\d{{1,2}}){_A}")
_DMY = re.compile(rf"{_PREFIXED}(\d{{1,2}})([-/.])(\d{{1,2}})\2(\d{{4}}){_A}")
_DM = re.compile(rf"{_PREFIXED}(\d{{1,2}})/(\d{{1,2}}){_A}")
_DAY_FIRST = re.compile(
    rf"{_PREFIXED}(\d{{1,2}}){_TH}(?:\s*(?:-|إلى|to)\s*(\d{{1,2}}){_TH})?\s+(?:من\s+|of\s+|شهر\s+)?{_MONTH}{_YEAR}{_A}",
    re.IGNORECASE,
)
_MONTH_FIRST = re.compile(
    rf"(?<![\w])({_LATIN})\s+(\d{{1,2}}){_TH}(?:\s*(?:-|to)\s*(\d{{1,2}}){_TH})?(?:,?\s+(\d{{4}}))?{_A}"
)
_MONTH_YEAR = re.compile(rf"(?<![\w]){_MONTH},?\s+(?:عام\s+|سنة\s+)?(\d{{4}})(?:\s?(هـ|ه|م)(?!\w))?{_A}", re.IGNORECASE)
_NUMERIC = re.compile(r"\d[-/.]\d")
_DAY_BEFORE = re.compile(
    r"(?:يوم|تاريخ|بتاريخ|الأحد|الاثنين|الإثنين|الثلاثاء|الأربعاء|الخميس|الجمعة|السبت|من|إلى|حتى|day|date|on|from|until|till|by)[,،]?\s+\Z",
    re.IGNORECASE,
)


WEEKDAYS = {
    "Sun": "Sunday", "Mon": "Monday", "Tue": "Tuesday", "Tues": "Tuesday", "Wed": "Wednesday", "Thu": "Thursday",
    "Thur": "Thursday", "Thurs": "Thursday", "Fri": "Friday", "Sat": "Saturday",
}  # fmt: skip
"""In full, by what they are shortened to."""
ARABIC_WEEKDAYS = "الأحد|الاحد|الاثنين|الإثنين|الثلاثاء|الأربعاء|الاربعاء|الخميس|الجمعة|السبت"
_WEEKDAY = (
    rf"{ARABIC_WEEKDAYS}|{'|'.join(WEEKDAYS.values())}|(?:{'|'.join(sorted(WEEKDAYS, key=len, reverse=True))})\.?"
)
_DAY_SPAN = re.compile(rf"(?:(?<!\w)(من|from)\s+)?(?<!\w)({_WEEKDAY})\s*[-–]\s*({_WEEKDAY})(?!\w)", re.IGNORECASE)


class Day(NamedTuple):
    """A date as it was written.

    day: 1 to 31, None for a month and its year alone. last: the day on which a span ends.
    month: 1 to 12, or the Arabic name of a month of another calendar. year: None where it is left out.
    era: ه or م where it was given. A month of a year below 1600 is one of HIJRI.
    month_first: whether the month was written before the day.
    """

    day: int | None
    month: int | str
    year: int | None = None
    last: int | None = None
    era: str = ""
    month_first: bool = False

    @property
    def month_names(self) -> tuple[str, str]:
        """English and Arabic; both the same where the month was written by its name in another calendar."""
        if isinstance(self.month, str):
            return self.month, self.month
        return (HIJRI if self.year and self.year < 1600 else MONTHS)[self.month - 1]


Say = Callable[[Day, str], str]
"""Says a date, given the text before it."""


def say_day_spans(text: str, start: str, link: str) -> str:
    """`الأحد-الخميس` and `Mon-Fri` as spans: from the word `start`, where it is not there already, with `link`."""

    def said(found: re.Match[str]) -> str:
        low, high = (WEEKDAYS.get(day.rstrip(".").capitalize(), day) for day in found.group(2, 3))
        return " ".join(filter(None, (found[1] or start, low, link, high)))

    return _DAY_SPAN.sub(said, text)


def say_dates(text: str, say: Say) -> str:
    """The text with its dates said; what looks like a date and is none (31/31/2026) stays."""
    if _NUMERIC.search(text):
        text = _YMD.sub(lambda found: _numeric(found, say, found[4], found[3], found[1]), text)
        text = _DMY.sub(lambda found: _numeric(found, say, found[1], found[3], found[4]), text)
        text = _DM.sub(lambda found: _short(found, say), text)
    text = _DAY_FIRST.sub(lambda found: _named(found, say, found[3], found[1], found[2], found[4], found[5]), text)
    text = _MONTH_FIRST.sub(lambda found: _named(found, say, found[1], found[2], found[3], found[4], None), text)
    return _MONTH_YEAR.sub(lambda found: _named(found, say, found[1], None, None, found[2], found[3]), text)


def _numeric(found: re.Match[str], say: Say, day: str, month: str, year: str | None) -> str:
    if not (1 <= int(month) <= 12 and 1 <= int(day) <= 31):
        return found[0]
    return say(Day(int(day), int(month), int(year) if year else None, month_first=True), found.string[: found.start()])


def _short(found: re.Match[str], say: Say) -> str:
    """A day and a month without a year: a date where a day is spoken of, or where it can be no fraction."""
    if found[0] == "24/7" or (
        int(found[1]) <= 12 and not _DAY_BEFORE.search(found.string[max(0, found.start() - 20) : found.start()])
    ):
        return found[0]
    return _numeric(found, say, found[1], found[2], None)


def _named(
    found: re.Match[str], say: Say, month: str, day: str | None, last: str | None, year: str | None, era: str | None
) -> str:
    if not all(1 <= int(each) <= 31 for each in (day, last) if each):
        return found[0]
    days = [int(each) if each else None for each in (day, last)]
    first = found[0].startswith(month) and day is not None
    date = Day(days[0], _month(month), int(year) if year else None, days[1], (era or "")[:1], first)
    return say(date, found.string[: found.start()])


def _month(written: str) -> int | str:
    for number, (english, arabic) in enumerate(MONTHS, 1):
        if written[:3].lower() == english[:3].lower() or written == arabic:
            return number
    spelled = {"ابريل": 4, "إبريل": 4, "اغسطس": 8, "اكتوبر": 10}
    return spelled.get(written, written)
