"""Times of day: الثامنة والنصف صباحًا, التاسعة إلا الربع."""

from __future__ import annotations

from core.text.arabic.amounts import joined
from core.text.arabic.cases import adverb_after
from core.text.arabic.nouns import NOUNS
from core.text.arabic.numbers import Case, Form, ordinal
from core.text.clock import Moment
from core.text.folding import fold

_PAST = {0: "", 15: " والربع", 20: " والثلث", 30: " والنصف"}
_TO_GO = {40: " إلا الثلث", 45: " إلا الربع", 50: " إلا عشر دقائق", 55: " إلا خمس دقائق"}
_PARTS = {"صباح": "صباحًا", "ظهر": "ظهرًا", "عصر": "عصرًا", "مساء": "مساءً", "ليل": "ليلًا", "فجر": "فجرًا"}


def said(moment: Moment, before: str) -> str:
    """The moment in words."""
    return f"{_clock(moment, adverb_after(before))}{_part(moment)}"


def said_span(first: Moment, last: Moment, between: str, before: str) -> str:
    """`من … إلى …`."""
    low, high = (f"{_clock(moment, Case.GENITIVE)}{_part(moment)}" for moment in (first, last))
    return joined(low, high, before, between)


def _clock(moment: Moment, case: Case) -> str:
    if moment.minute in _TO_GO:
        return f"{_hour(moment.clock_hour % 12 + 1)}{_TO_GO[moment.minute]}"
    past = _PAST.get(moment.minute)
    if past is None:
        past = f" و{NOUNS['دقيقة'].counted(moment.minute, case)}"
    return f"{_hour(moment.clock_hour)}{past}"


def _hour(hour: int) -> str:
    return "الواحدة" if hour == 1 else ordinal(hour, Form(feminine=True))


def _part(moment: Moment) -> str:
    """The part of the day: as it is written, or as the twenty-four hours tell."""
    if moment.part in ("am", "pm"):
        return f" {_half(moment)}"
    if moment.part:
        return f" {_PARTS.get(_stem(moment.part), moment.part)}"
    if moment.hour in (0, 24):
        return " ليلًا"
    if moment.hour < 12:
        return ""
    return " ظهرًا" if moment.hour < 15 else " عصرًا" if moment.hour < 18 else " مساءً"


def _half(moment: Moment) -> str:
    if moment.part == "am":
        return "ليلًا" if moment.clock_hour == 12 else "صباحًا"
    return "ظهرًا" if moment.clock_hour == 12 else "مساءً"


def _stem(part: str) -> str:
    return next((stem for stem in _PARTS if fold(part).removesuffix("ا") == fold(stem)), part)
