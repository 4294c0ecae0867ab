"""A number in figures with the noun that it counts, as a caption shows it."""

from __future__ import annotations

from decimal import Decimal

from core.text.arabic.cases import case_after
from core.text.arabic.nouns import NOUNS
from core.text.currencies import CURRENCIES
from core.text.english.nouns import counted_noun

UNITS: dict[str, tuple[str, str]] = {
    "hour": ("ساعة", "hour"),
    "minute": ("دقيقة", "minute"),
    "second": ("ثانية", "second"),
    "day": ("يوم", "day"),
    "week": ("أسبوع", "week"),
    "month": ("شهر", "month"),
    "year": ("سنة", "year"),
    "night": ("ليلة", "night"),
    "ticket": ("تذكرة", "ticket"),
    "person": ("شخص", "person"),
    "bag": ("حقيبة", "bag"),
    "seat": ("مقعد", "seat"),
    "kilo": ("كيلوغرام", "kilo"),
    "kilogram": ("كيلوغرام", "kilogram"),
    "kilometre": ("كيلومتر", "kilometre"),
    "piece": ("قطعة", "piece"),
    "visit": ("زيارة", "visit"),
    "session": ("جلسة", "session"),
} | {code: (currency.arabic, currency.english) for code, currency in CURRENCIES.items()}
"""What can be counted: the singulars in Arabic and English."""


def counted(number: int | float | Decimal, unit: str, language: str, before: str = "") -> str:
    """`3 ريالات`, `95 ريالًا`, `2.50 ريال`, `تذكرتان`, `1 ticket`. Raises KeyError for a unit that is not in UNITS.

    before: the text that it will follow; an Arabic dual takes its case from it (`بـ` asks for تذكرتين)."""
    arabic, english = UNITS[unit]
    exact = Decimal(str(number))
    figures = _figures(exact, unit in CURRENCIES)
    if language != "ar":
        return f"{figures} {counted_noun(abs(float(exact)), english)}"
    noun = NOUNS[arabic]
    if exact != exact.to_integral_value():
        return f"{figures} {noun.singular}"
    whole = int(exact)
    if whole == 1 or (whole == 2 and noun.plural):
        return noun.counted(whole, case_after(before))
    return f"{figures} {noun.singular if whole == -2 else noun.after(abs(whole))}"


def _figures(number: Decimal, money: bool) -> str:
    """With thousands separators; money with two places or none."""
    if number == number.to_integral_value():
        return f"{int(number):,}"
    return f"{number:,.2f}" if money and -number.as_tuple().exponent <= 2 else f"{number.normalize():,f}"  # type: ignore[operator]
