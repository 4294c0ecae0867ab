"""Quantities with units of measure: مئة وعشرون مترًا مربعًا."""

from __future__ import annotations

from core.text.arabic.amounts import amount, is_span, span
from core.text.arabic.cases import case_after
from core.text.arabic.decimals import decimal
from core.text.arabic.nouns import NOUNS
from core.text.arabic.numbers import Case, Form
from core.text.measures import Quantity


def said(quantity: Quantity, before: str) -> str:
    """The quantity in words; two amounts are a span, or with × the sides of something."""
    measure, noun = quantity.measure, NOUNS[quantity.measure.arabic]
    case = case_after(before)
    if quantity.last is None:
        return amount(quantity.amount, noun, case, measure.adjective, measure.tail)
    last = amount(quantity.last, noun, Case.GENITIVE, measure.adjective, measure.tail)
    if quantity.between in ("x", "X", "×") or not is_span(quantity.amount, quantity.last):
        return f"{decimal(quantity.amount.lstrip('-'), Form(noun.feminine, case))} في {last}"
    if quantity.amount.startswith("-"):
        return f"{amount(quantity.amount, noun, Case.GENITIVE)} إلى {last}"
    between = quantity.between or "-"
    return span(quantity.amount, quantity.last, noun, before, between, measure.adjective, measure.tail)
