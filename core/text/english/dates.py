"""Dates: November twenty-second, twenty twenty-six."""

from __future__ import annotations

import re

from core.text.calendar import Day
from core.text.english.numbers import ordinal, year

_THE = re.compile(r"\bthe\s+\Z", re.IGNORECASE)


def said(day: Day, before: str) -> str:
    """The date in words, in the order in which it was written."""
    month = day.month_names[0]
    tail = f", {year(day.year)}" if day.year else ""
    if day.day is None:
        return f"{month} {year(day.year or 0)}"
    days = ordinal(day.day) + (f" to {ordinal(day.last)}" if day.last else "")
    if day.month_first:
        return f"{month} {days}{tail}"
    return f"{'' if _THE.search(before[-8:]) else 'the '}{days} of {month}{tail}"
