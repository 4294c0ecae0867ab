"""Decimals and fractions in words."""

from __future__ import annotations

from core.text.arabic.numbers import Form, cardinal, digits

HALVES = {"5": "نصف", "50": "نصف", "25": "ربع", "75": "ثلاثة أرباع"}
"""What decimals are called that have a name."""
FRACTIONS = {"1/2": "نصف", "1/4": "ربع", "3/4": "ثلاثة أرباع", "1/3": "ثلث", "2/3": "ثلثان", "1/8": "ثمن", "1/5": "خمس"}


def decimal(figures: str, form: Form) -> str:
    """`3.5` is ثلاثة فاصلة خمسة; behind the point, zeros at its beginning are said one by one."""
    units, _, rest = figures.partition(".")
    head = cardinal(int(units), form)
    rest = rest.rstrip("0")
    return f"{head} فاصلة {_behind_point(rest)}" if rest else head


def _behind_point(figures: str) -> str:
    if len(figures) > 2 or figures.startswith("0"):
        return digits(figures)
    return cardinal(int(figures))
