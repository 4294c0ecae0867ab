"""Dates: الثاني والعشرين من نوفمبر عام ألفين وستة وعشرين."""

from __future__ import annotations

from core.text.arabic.amounts import joined
from core.text.arabic.cases import adverb_after
from core.text.arabic.numbers import Case, Form, cardinal, ordinal
from core.text.calendar import Day

_ERAS = {"ه": " للهجرة", "م": " للميلاد"}


def said(day: Day, before: str) -> str:
    """The date in words."""
    tail = f"{day.month_names[1]}{_year(day)}"
    if day.day is None:
        return tail
    if day.last:
        genitive = Form(case=Case.GENITIVE)
        return f"{joined(ordinal(day.day, genitive), ordinal(day.last, genitive), before)} من {tail}"
    return f"{ordinal(day.day, Form(case=adverb_after(before)))} من {tail}"


def _year(day: Day) -> str:
    if day.year is None:
        return ""
    return f" عام {cardinal(day.year, Form(case=Case.GENITIVE))}{_ERAS.get(day.era, '')}"
