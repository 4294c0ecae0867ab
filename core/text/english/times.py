"""Times of day: six o'clock, eight thirty p m."""

from __future__ import annotations

from core.text.clock import Moment
from core.text.english.numbers import cardinal


def said(moment: Moment, before: str) -> str:
    """The moment in words; English does not ask what stands before it."""
    part = _part(moment)
    return _clock(moment, part) if part or moment.minute else f"{cardinal(moment.clock_hour)} o'clock"


def said_span(first: Moment, last: Moment, between: str, before: str) -> str:
    """`eight a m to eight p m`."""
    link = " to " if between in ("-", "إلى") else f" {between} "
    if not last.part and last.hour <= 12 and between != "-":
        return f"{said(first, before)}{link}{said(last, before)}"
    return f"{_clock(first, _part(first))}{link}{_clock(last, _part(last))}"


def _clock(moment: Moment, part: str) -> str:
    minute = ""
    if moment.minute:
        minute = f" oh {cardinal(moment.minute)}" if moment.minute < 10 else f" {cardinal(moment.minute)}"
    return f"{cardinal(moment.clock_hour)}{minute}{part}"


def _part(moment: Moment) -> str:
    """As it is written, or as the twenty-four hours tell."""
    part = moment.part or ("pm" if 12 < moment.hour < 24 else "am" if moment.hour in (0, 24) else "")
    return {"am": " a m", "pm": " p m"}.get(part, f" {part}" if part else "")
