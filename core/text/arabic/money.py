"""Amounts of money, with their parts: ثلاثة ريالات وخمسون هللة."""

from __future__ import annotations

from core.text.arabic.amounts import signed, span
from core.text.arabic.cases import case_after
from core.text.arabic.nouns import NOUNS
from core.text.arabic.numbers import Case
from core.text.currencies import Currency, Money, split_amount
from core.text.figures import whole

_SCALES = {"thousand": 10**3, "million": 10**6, "billion": 10**9}


def said(money: Money, before: str) -> str:
    """The amount in words, in the case that `before` asks for."""
    adjective = money.adjective or money.currency.adjective
    if money.last and whole(money.amount) is not None and whole(money.last) is not None:
        return span(money.amount, money.last, NOUNS[money.currency.arabic], before, adjective=adjective)
    amount, case = money.amount, case_after(before)
    if money.scale:
        amount = f"{float(amount) * _SCALES[money.scale]:.0f}"
    single = signed(amount, _exact(amount, money.currency, adjective, case))
    if money.last:
        return f"{single} إلى {said(money._replace(amount=money.last, last=None), 'إلى ')}"
    return single


def _exact(amount: str, currency: Currency, adjective: str, case: Case) -> str:
    noun, part = NOUNS[currency.arabic], NOUNS[currency.arabic_part]
    split = split_amount(amount, currency.parts)
    if split is None:
        return noun.fraction(amount.lstrip("-"), case)
    units, parts = split
    if not parts:
        return noun.counted(units, case, adjective)
    said_parts = part.counted(parts, case)
    return f"{noun.counted(units, case, adjective)} و{said_parts}" if units else said_parts
