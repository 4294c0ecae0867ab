"""Currencies: their codes and signs, and what they and their parts are called."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from decimal import Decimal
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

_SIGNS = {
    "$": "USD", "US$": "USD", "€": "EUR", "£": "GBP", "₹": "INR", "₺": "TRY",
    "ر.س.": "SAR", "ر.س": "SAR", "د.إ.": "AED", "د.إ": "AED", "ر.ق.": "QAR", "ر.ق": "QAR", "ر.ع.": "OMR", "ر.ع": "OMR",
    "د.ك.": "KWD", "د.ك": "KWD", "د.ب.": "BHD", "د.ب": "BHD", "د.أ.": "JOD", "د.أ": "JOD", "د.ع.": "IQD", "د.ع": "IQD",
    "ج.م.": "EGP", "ج.م": "EGP", "ل.ل.": "LBP", "ل.ل": "LBP", "ل.س.": "SYP", "ل.س": "SYP", "د.م.": "MAD", "د.م": "MAD",
    "SR": "SAR", "Dhs": "AED", "DHS": "AED", "Dh": "AED", "KD": "KWD", "LE": "EGP", "L.E.": "EGP", "JD": "JOD",
    "sar": "SAR", "aed": "AED", "usd": "USD", "eur": "EUR", "egp": "EGP", "kwd": "KWD", "qar": "QAR", "bhd": "BHD",
    "jod": "JOD", "omr": "OMR", "gbp": "GBP",
}  # fmt: skip
_WORDS = {
    "ريال": "SAR", "درهم": "AED", "دينار": "KWD", "جنيه": "EGP", "ليرة": "TRY", "دولار": "USD", "يورو": "EUR",
    "riyal": "SAR", "riyals": "SAR", "dirham": "AED", "dirhams": "AED", "dinar": "KWD", "dinars": "KWD",
    "dollar": "USD", "dollars": "USD", "euro": "EUR", "euros": "EUR", "pound": "EGP", "pounds": "EGP",
}  # fmt: skip
"""Arabic singulars and English words that stand behind an amount; how many parts they have is that of their code."""
_ARABIC_ENDINGS = (
    "ريالات|ريالان|ريالين|دراهم|درهمان|درهمين|دنانير|ديناران|دينارين|جنيهات|جنيهان|جنيهين|"
    "ليرات|ليرتان|ليرتين|دولارات|دولاران|دولارين"
)
_ADJECTIVES = (
    "أمريكي|امريكي|سعودي|إماراتي|اماراتي|قطري|كويتي|بحريني|عماني|أردني|مصري|إسترليني|استرليني|يمني|"
    "عراقي|تركي|سوري|لبناني|مغربي|كندي"
)

_BY_START = {word[:3]: code for word, code in _WORDS.items()}
_SPELLED = {"امريكي": "أمريكي", "اماراتي": "إماراتي", "استرليني": "إسترليني"}

_CODES = {**{code: code for code in CURRENCIES}, **_SIGNS}
_NAMES = {**_CODES, **_WORDS}


def _pattern(names: Iterable[str]) -> str:
    return "|".join(re.escape(name) for name in sorted(names, key=len, reverse=True))


_TO = r"(?:\s*(?:-|\bto\b|إلى|الى)\s*(\d+(?:\.\d+)?))?"
_SCALE = r"(?:\s*(million|billion|thousand)\b)?"
_AMOUNT = rf"(-?\d+(?:\.\d+)?){_TO}{_SCALE}"
_AFTER = rf"(?:({_pattern(_NAMES)})[\u064b\u0627]*|({_ARABIC_ENDINGS}))"
_MONEY_BEFORE = re.compile(rf"(?<![\w.])({_pattern(_CODES)})\s?{_AMOUNT}(?![\d%]|[.,:]\d)")
_MONEY_AFTER = re.compile(
    rf"(?<![\dA-Za-z_.,:/+]){_AMOUNT}\s?{_AFTER}(?![\w\u064b-\u0652])"
    rf"(?:\s+({_ADJECTIVES})(?:ًا|اً|ا|ة|ات|ين|ان)?(?![\w\u064b-\u0652]))?"
)
_MAY_HOLD = re.compile(_pattern(_NAMES))


class Money(NamedTuple):
    """An amount as it was written. last: the upper end of a span. scale: `million` … adjective: as in دولار أمريكي."""

    amount: str
    currency: Currency
    last: str | None = None
    scale: str | None = None
    adjective: str = ""


Say = Callable[[Money, str], str]
"""Says an amount, given the text before it."""


def say_money(text: str, say: Say) -> str:
    """The text with its amounts of money said."""
    if not _MAY_HOLD.search(text):
        return text
    text = _MONEY_BEFORE.sub(lambda found: _before(found, say), text)
    return _MONEY_AFTER.sub(lambda found: _after(found, say), text)


def _before(found: re.Match[str], say: Say) -> str:
    currency = CURRENCIES[_CODES[found[1]]]
    return say(Money(found[2], currency, found[3], found[4]), found.string[: found.start()])


def _after(found: re.Match[str], say: Say) -> str:
    code = _NAMES[found[4]] if found[4] else _BY_START[found[5][:3]]
    adjective = _SPELLED.get(found[6], found[6] or "")
    currency = CURRENCIES[code]
    money = Money(found[1], currency, found[2], found[3], adjective)
    return say(money, found.string[: found.start()])


def split_amount(amount: str, parts: int) -> tuple[int, int] | None:
    """Units and parts: 3.5 with 100 parts is (3, 50). None where the amount is finer than its parts."""
    exact = abs(Decimal(amount))
    units = int(exact)
    rest = (exact - units) * parts
    return (units, int(rest)) if rest == rest.to_integral_value() else None
