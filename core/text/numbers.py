"""Figures as they are said: digits, times, money, percentages, telephone numbers.

Plain cardinals are left as ASCII digits: every voice that we use expands those itself. What a voice gets wrong is
written out here.
"""

from __future__ import annotations

import re

_DIGITS = str.maketrans("٠١٢٣٤٥٦٧٨٩۰۱۲۳۴۵۶۷۸۹٪٫", "01234567890123456789%.")
_THOUSANDS = re.compile(r"(?<=\d)[,٬](?=\d{3}(?:\D|$))")
_TIME = re.compile(
    r"(?<![\d:])([01]?\d|2[0-4]):([0-5]\d)(?![\d:])(?:\s*(am|pm|a\.m\.|p\.m\.|صباح[\w\u064b-\u0652]*|مساء[\w\u064b-\u0652]*|ص|م)(?!\w))?",
    re.I,
)
_PHONE = re.compile(r"(?<![\w.])\+?\d[\d \-]{5,16}\d(?![\w%.]\d|\w)")
_PERCENT = re.compile(r"(?<=\d)\s*%")
_CURRENCIES: dict[str, tuple[str, str]] = {
    "$": ("dollar", "دولار"),
    "usd": ("dollar", "دولار"),
    "€": ("euro", "يورو"),
    "eur": ("euro", "يورو"),
    "£": ("pound", "جنيه"),
    "egp": ("pound", "جنيه"),
    "sar": ("riyal", "ريال"),
    "qar": ("riyal", "ريال"),
    "ر.س": ("riyal", "ريال"),
    "ريال": ("riyal", "ريال"),
    "aed": ("dirham", "درهم"),
    "د.إ": ("dirham", "درهم"),
    "درهم": ("dirham", "درهم"),
    "kwd": ("dinar", "دينار"),
    "jod": ("dinar", "دينار"),
    "دينار": ("dinar", "دينار"),
}
_NAMES = "|".join(re.escape(name) for name in sorted(_CURRENCIES, key=len, reverse=True))
_AMOUNT = r"(\d+)(?:\.(\d{1,2}))?"
_MONEY_BEFORE = re.compile(rf"(?<!\w)({_NAMES})\s?{_AMOUNT}(?![\d.]*\d)", re.I)
_MONEY_AFTER = re.compile(rf"(?<![\d.]){_AMOUNT}\s?({_NAMES})(?!\w)", re.I)
_PLURALS = {"دولار": "دولارات", "ريال": "ريالات", "درهم": "دراهم", "دينار": "دنانير", "جنيه": "جنيهات"}
_HOURS = (
    "الواحدة", "الثانية", "الثالثة", "الرابعة", "الخامسة", "السادسة",
    "السابعة", "الثامنة", "التاسعة", "العاشرة", "الحادية عشرة", "الثانية عشرة",
)  # fmt: skip
_MINUTES = {0: "", 15: " والربع", 20: " والثلث", 30: " والنصف"}


def say_numbers(text: str, language: str) -> str:
    """The text with its figures written as they are said in `ar`, or else in English."""
    arabic = language == "ar"
    text = _THOUSANDS.sub("", text.translate(_DIGITS))
    text = _TIME.sub(_arabic_time if arabic else _english_time, text)
    money = _arabic_money if arabic else _english_money
    text = _MONEY_BEFORE.sub(lambda found: money(found[2], found[3], found[1]), text)
    text = _MONEY_AFTER.sub(lambda found: money(found[1], found[2], found[3]), text)
    text = _PERCENT.sub(" بالمئة" if arabic else " percent", text)
    return _PHONE.sub(_digit_by_digit, text)


def _digit_by_digit(found: re.Match[str]) -> str:
    """A telephone or booking number, in groups of three with a pause between; a plain cardinal stays as it is."""
    digits = re.sub(r"\D", "", found[0])
    if len(digits) < 7:
        return found[0]
    groups = [" ".join(digits[start : start + 3]) for start in range(0, len(digits), 3)]
    return ", ".join(groups)


def _english_time(found: re.Match[str]) -> str:
    hour, minute, half = int(found[1]), int(found[2]), (found[3] or "").lower()
    if half.startswith(("ص", "م")):
        half = "am" if half.startswith("ص") else "pm"
    half = half.replace(".", "")
    if not minute:
        return f"{hour} {half}" if half else f"{hour} o'clock"
    said = f"{hour} {minute}" if minute > 9 else f"{hour} oh {minute}"
    return f"{said} {half}".strip()


def _arabic_time(found: re.Match[str]) -> str:
    hour, minute, half = int(found[1]), int(found[2]), (found[3] or "").lower()
    past = _MINUTES.get(minute, f" و{minute} {'دقائق' if 3 <= minute <= 10 else 'دقيقة'}")
    return f"{_HOURS[(hour - 1) % 12]}{past}{_arabic_half(hour, half)}"


def _arabic_half(hour: int, half: str) -> str:
    if half.startswith(("a", "ص")):
        return " صباحًا"
    if half.startswith(("p", "م")) or hour > 12:
        return " مساءً"
    return ""


def _english_money(units: str, cents: str | None, name: str) -> str:
    word = _CURRENCIES[name.lower()][0]
    said = f"{units} {word}{'' if units == '1' else 's'}"
    return f"{said} and {_hundredths(cents)} cents" if cents and int(cents) else said


def _arabic_money(units: str, cents: str | None, name: str) -> str:
    """With the counted noun in the number that the figure asks for: 2 dual, 3 to 10 plural, else singular."""
    word = _CURRENCIES[name.lower()][1]
    said = _counted(int(units), word)
    return f"{said} و{_hundredths(cents)} هللة" if cents and int(cents) and word == "ريال" else _with_part(said, cents)


def _with_part(said: str, cents: str | None) -> str:
    return f"{said} و{_hundredths(cents)} بالمئة" if cents and int(cents) else said


def _hundredths(cents: str) -> int:
    return int(cents.ljust(2, "0"))


def _counted(count: int, word: str) -> str:
    if word in _PLURALS and count == 2:
        return f"{word}ان"
    if word in _PLURALS and 3 <= count % 100 <= 10:
        return f"{count} {_PLURALS[word]}"
    if word in _PLURALS and 11 <= count % 100 <= 99:
        return f"{count} {word}ًا"
    return word if count == 1 else f"{count} {word}"
