"""Amounts of money: three dollars and fifty cents."""

from __future__ import annotations

from core.text.currencies import Money, split_amount
from core.text.english.nouns import counted_noun, plural
from core.text.english.numbers import cardinal, decimal


def said(money: Money, before: str) -> str:
    """The amount in words; English does not ask what stands before it."""
    name = money.currency.english
    if money.last:
        return f"{decimal(money.amount)} to {said(money._replace(amount=money.last, last=None), before)}"
    if money.scale:
        return f"{decimal(money.amount)} {money.scale} {plural(name)}"
    sign = "minus " if money.amount.startswith("-") else ""
    return sign + _exact(money)


def _exact(money: Money) -> str:
    split = split_amount(money.amount, money.currency.parts)
    name, part = money.currency.english, money.currency.english_part
    if split is None or split[0] >= 10**15:
        return f"{decimal(money.amount.lstrip('-'))} {plural(name)}"
    units, parts = split
    said_parts = f"{cardinal(parts)} {counted_noun(parts, part)}"
    said_units = f"{cardinal(units)} {counted_noun(units, name)}"
    return said_units if not parts else f"{said_units} and {said_parts}" if units else said_parts
