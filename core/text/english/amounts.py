"""Amounts of something: one and a half hours, half a litre."""

from __future__ import annotations

from decimal import Decimal

from core.text.english.nouns import counted_noun, plural
from core.text.english.numbers import decimal

_NAMED = {"5": "a half", "25": "a quarter", "75": "three quarters"}


def amount(figures: str, noun: str) -> str:
    """So many of a noun, which is given in the singular."""
    units, _, rest = figures.lstrip("-").partition(".")
    if rest.rstrip("0") in _NAMED and not figures.startswith("-"):
        return _named(units, _NAMED[rest.rstrip("0")], noun)
    return f"{decimal(figures)} {counted_noun(abs(float(Decimal(figures))), noun)}"


def _named(units: str, part: str, noun: str) -> str:
    if int(units):
        return f"{decimal(units)} and {part} {plural(noun)}"
    return f"half {article(noun)} {noun}" if part == "a half" else f"{part} of {article(noun)} {noun}"


def article(noun: str) -> str:
    """`a`, or `an` before a vowel."""
    return "an" if noun[0] in "aeio" or noun == "hour" else "a"
