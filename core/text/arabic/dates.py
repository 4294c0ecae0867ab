"""Dates: الثاني والعشرين من نوفمبر عام ألفين وستة وعشرين."""

from __future__ import annotations

from core.text.arabic.amounts import joined
from core.text.arabic.cases import is_adverb
from core.text.arabic.numbers import Form, cardinal, ordinal
from core.text.calendar import MONTHS, Day

_ERAS = {"ه": " للهجرة", "م": " للميلاد"}


def said(day: Day, before: str) -> str:
    """The date in words."""
    month = MONTHS[day.month - 1][1] if isinstance(day.month, int) else day.month
    tail = f"{month}{_year(day)}"
    if day.day is None:
        return tail
    if day.last:
        oblique = Form(oblique=True)
        return f"{joined(ordinal(day.day, oblique), ordinal(day.last, oblique), before)} من {tail}"
    return f"{ordinal(day.day, Form(oblique=is_adverb(before)))} من {tail}"


def _year(day: Day) -> str:
    if day.year is None:
        return ""
    return f" عام {cardinal(day.year, Form(oblique=True))}{_ERAS.get(day.era, '')}"
