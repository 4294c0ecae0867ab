"""Amounts and spans of them with what they count."""

from __future__ import annotations

from core.text.arabic.cases import is_annexed
from core.text.arabic.nouns import Noun
from core.text.arabic.numbers import Case, Form, cardinal
from core.text.figures import whole

TO = "إلى"


def signed(figures: str, words: str) -> str:
    """The words with سالب before them where the figures are below zero."""
    return f"سالب {words}" if figures.startswith("-") else words


def amount(figures: str, noun: Noun, case: Case, adjective: str = "", tail: str = "") -> str:
    """So many of a noun; halves and quarters by their names, other fractions with فاصلة."""
    number = whole(figures.lstrip("-"))
    words = noun.fraction(figures.lstrip("-"), case) if number is None else noun.counted(number, case, adjective)
    return f"{signed(figures, words)} {tail}".strip()


def span(low: str, high: str, noun: Noun, before: str, between: str = "-", adjective: str = "", tail: str = "") -> str:
    """From so many to so many: the noun stands behind the second number alone, but for one and two."""
    first = whole(low)
    lowest = noun.bare(first) if first is not None else noun.fraction(low, Case.GENITIVE)
    words = amount(high, noun, Case.GENITIVE, adjective, tail)
    return joined(lowest, words, before, between)


def joined(low: str, high: str, before: str, between: str = "-") -> str:
    """`من … إلى …`; without من behind a preposition, and with the writer's own word between them."""
    if between == "و":
        return f"{low} و{high}"
    if between == "أو":
        return f"{low} أو {high}"
    lead = "" if is_annexed(before) else "من "
    return f"{lead}{low} {TO if between in '-–to' else between} {high}"


def bare_span(low: str, high: str, before: str, between: str = "-") -> str:
    """A span of numbers without a noun."""
    genitive = Form(case=Case.GENITIVE)
    return joined(cardinal(int(low), genitive), cardinal(int(high), genitive), before, between)


def is_span(low: str, high: str) -> bool:
    """Whether two whole numbers with a dash between them are the ends of a span."""
    return float(low) < float(high)
