"""Currencies: their codes and signs, and what they and their parts are called."""

from __future__ import annotations

from typing import NamedTuple


class Currency(NamedTuple):
    """Arabic names are singulars of core.text.arabic.nouns. parts: how many parts make one unit."""

    arabic: str
    english: str
    arabic_part: str
    english_part: str
    parts: int = 100
    adjective: str = ""


CURRENCIES: dict[str, Currency] = {
    "SAR": Currency("ريال", "riyal", "هللة", "halala"),
    "AED": Currency("درهم", "dirham", "فلس", "fils"),
    "QAR": Currency("ريال", "riyal", "درهم", "dirham"),
    "OMR": Currency("ريال", "rial", "بيسة", "baisa", 1000),
    "YER": Currency("ريال", "rial", "فلس", "fils"),
    "KWD": Currency("دينار", "dinar", "فلس", "fils", 1000),
    "BHD": Currency("دينار", "dinar", "فلس", "fils", 1000),
    "JOD": Currency("دينار", "dinar", "فلس", "fils", 1000),
    "IQD": Currency("دينار", "dinar", "فلس", "fils", 1000),
    "EGP": Currency("جنيه", "pound", "قرش", "piastre"),
    "SDG": Currency("جنيه", "pound", "قرش", "piastre"),
    "SYP": Currency("ليرة", "lira", "قرش", "piastre"),
    "LBP": Currency("ليرة", "lira", "قرش", "piastre"),
    "TRY": Currency("ليرة", "lira", "قرش", "kurus"),
    "MAD": Currency("درهم", "dirham", "سنت", "centime"),
    "USD": Currency("دولار", "dollar", "سنت", "cent"),
    "EUR": Currency("يورو", "euro", "سنت", "cent"),
    "GBP": Currency("جنيه", "pound", "بنس", "penny", 100, "إسترليني"),
    "INR": Currency("روبية", "rupee", "بيسة", "paisa"),
}
"""By ISO 4217 code."""
