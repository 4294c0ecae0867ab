"""Units of measure: their signs in both scripts, and what they are called."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple


class Measure(NamedTuple):
    """arabic: a singular of core.text.arabic.nouns; adjective and tail follow it (متر مربع, كيلومتر في الساعة).
    plural: whether the English name has one."""

    arabic: str
    english: str
    adjective: str = ""
    tail: str = ""
    plural: bool = True


_MEASURES = {
    "km كم كلم": Measure("كيلومتر", "kilometre"),
    "m م": Measure("متر", "metre"),
    "cm سم": Measure("سنتيمتر", "centimetre"),
    "mm مم ملم": Measure("مليمتر", "millimetre"),
    "m² م² m2 م2 sqm": Measure("متر", "square metre", "مربع"),
    "m³ م³": Measure("متر", "cubic metre", "مكعب"),
    "km³ كم³": Measure("كيلومتر", "cubic kilometre", "مكعب"),
    "km² كم²": Measure("كيلومتر", "square kilometre", "مربع"),
    "kg Kg KG كجم كغم كغ كج": Measure("كيلوغرام", "kilogram"),
    "g غم جم غ": Measure("غرام", "gram"),
    "mg/dl mg/dL ملغ/دل": Measure("مليغرام", "milligram per decilitre", tail="لكل ديسيلتر"),
    "mg مغ ملغ ملجم": Measure("مليغرام", "milligram"),
    "L l": Measure("لتر", "litre"),
    "ml mL مل": Measure("مليلتر", "millilitre"),
    "km/h kmh كم/س كم/ساعة": Measure("كيلومتر", "kilometre per hour", tail="في الساعة"),
    "mph": Measure("ميل", "mile per hour", tail="في الساعة"),
    "m/s م/ث": Measure("متر", "metre per second", tail="في الثانية"),
    "°C °م º": Measure("درجة", "degree Celsius", "مئوي"),
    "°F °ف": Measure("درجة", "degree Fahrenheit", tail="فهرنهايت"),
    "°": Measure("درجة", "degree"),
    "GB": Measure("غيغابايت", "gigabyte"),
    "MB": Measure("ميغابايت", "megabyte"),
    "TB": Measure("تيرابايت", "terabyte"),
    "KB": Measure("كيلوبايت", "kilobyte"),
    "Mbps Mb/s": Measure("ميغابت", "megabit per second", tail="في الثانية"),
    "MP": Measure("ميغابكسل", "megapixel"),
    "W": Measure("واط", "watt"),
    "kW": Measure("كيلوواط", "kilowatt"),
    "V": Measure("فولت", "volt"),
    "Hz": Measure("هرتز", "hertz"),
    "ft": Measure("قدم", "foot"),
    "inch inches": Measure("بوصة", "inch"),
    "″": Measure("بوصة", "inch", plural=False),
    "lb lbs": Measure("رطل", "pound"),
    "mi": Measure("ميل", "mile"),
    "h hr hrs hr. hrs.": Measure("ساعة", "hour"),
    "min mins min. mins. د دق": Measure("دقيقة", "minute"),
    "sec secs sec.": Measure("ثانية", "second"),
    "pcs pcs. pc": Measure("قطعة", "piece"),
}
MEASURES: dict[str, Measure] = {sign: measure for signs, measure in _MEASURES.items() for sign in signs.split()}
"""By sign."""

_SIGNS = "|".join(re.escape(sign) for sign in sorted(MEASURES, key=len, reverse=True))
_QUANTITY = re.compile(
    rf"(?<![\dA-Za-z_.,:/+])(-?\d+(?:\.\d+)?)(?:\s*(-|–|×|[xX]|\bto\b|إلى|الى)\s*(\d+(?:\.\d+)?))?\s?"
    rf"({_SIGNS})(?![\w\u064b-\u0652²³/]|\.\w)"
)


_VULGAR = re.compile(rf"(?:(?<![\d.,/])(\d+)\s)?(?<![\d/])(1/2|1/4|3/4)(?=\s?(?:{_SIGNS})(?![\w\u064b-\u0652/]))")
_INCHES = re.compile(r'(?<=\d)"')
_SPELLED = re.compile(r"(?<=\d)\s?(كيلو)?(?:مترًا|مترا|متر|أمتار|مترات)\s+م(رب|كع)(?:عة|بة|عًا|بًا|عا|با|ع|ب)(?!\w)")
_DECIMALS = {"1/2": "5", "1/4": "25", "3/4": "75"}


def _sign_of_spelled(found: re.Match[str]) -> str:
    return f"{'ك' if found[1] else ''}م{'²' if found[2] == 'رب' else '³'}"


class Quantity(NamedTuple):
    """An amount with its unit. between: the sign or word before `last`, the second of two amounts."""

    amount: str
    measure: Measure
    between: str | None = None
    last: str | None = None


Say = Callable[[Quantity, str], str]
"""Says a quantity, given the text before it."""


def say_quantities(text: str, say: Say) -> str:
    """The text with its quantities said."""

    def said(found: re.Match[str]) -> str:
        if found[4] == "م" and re.fullmatch(r"(?:1[89]|20)\d\d", found[1]):
            return found[0]
        quantity = Quantity(found[1], MEASURES[found[4]], found[2], found[3])
        return say(quantity, found.string[: found.start()])

    if text.count('"') == 1:
        text = _INCHES.sub("″", text)
    text = _SPELLED.sub(_sign_of_spelled, text)
    if "/" in text:
        text = _VULGAR.sub(lambda found: f"{found[1] or 0}.{_DECIMALS[found[2]]}", text)
    return _QUANTITY.sub(said, text)
