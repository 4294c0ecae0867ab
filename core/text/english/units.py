"""Quantities with units of measure: one hundred and twenty square metres."""

from __future__ import annotations

from core.text.english.amounts import amount
from core.text.english.numbers import decimal
from core.text.measures import Quantity


def said(quantity: Quantity, before: str) -> str:
    """The quantity in words; two amounts are a span, or with × the sides of something."""
    name = quantity.measure.english
    if not quantity.measure.plural:
        return f"{decimal(quantity.amount)} {name}"
    if quantity.last is None:
        return amount(quantity.amount, name)
    link = "by" if quantity.between in ("x", "X", "×") else "to"
    return f"{decimal(quantity.amount)} {link} {amount(quantity.last, name)}"
