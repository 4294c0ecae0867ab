"""Percentages, fractions, spans, ordinals, years, and whatever figures are left."""

from __future__ import annotations

import re

from core.text.english.amounts import amount, article
from core.text.english.nouns import plural
from core.text.english.numbers import cardinal, decimal, digits, fraction, ordinal, year
from core.text.figures import is_label

_N = r"\d{1,15}(?:\.\d+)?"
_B = r"(?<![\dA-Za-z_.,:/+])(?<!\d-)"
_THOUSANDS = re.compile(rf"{_B}(?![248]K)(\d{{1,6}}(?:\.\d)?)[kK](?!\w)")
_PERCENT = re.compile(rf"{_B}(?:%({_N})|(-?{_N})(?:\s*(?:-|to)\s*({_N}))?\s?%)")
_ORDINAL = re.compile(r"(?<!\w)(\d{1,6})(?:st|nd|rd|th)(?!\w)", re.IGNORECASE)
_DECADE = re.compile(r"(?<!\w)'?((?:1[89]|20)?\d0)s(?!\w)")
_YEAR_SPAN = re.compile(r"(?<![\w.])((?:19|20)\d\d)\s*(?:-|to|until)\s*((?:19|20)\d\d)(?![\w%]|[.,:]\d)")
_YEAR = re.compile(
    r"\b((?:in|since|until|till|by|early|late|year|of|from)\s+)((?:1[5-9]|20)\d\d)(?![\w%]|[.,:]\d|\s+[a-z]{3,}s\b)",
    re.I,
)
_FRACTION = re.compile(rf"{_B}(?:(\d+)\s+)?(\d{{1,3}})/(\d{{1,3}})(?![\d/%])(?:\s+(of)\b|\s+(?:an?\s+)?([a-z]+)\b)?")
_RATING = re.compile(rf"{_B}(\d\.\d)/(5|10)(?![\d/.])")
_PRESSURE = re.compile(r"(?<![\d/.,])(\d{3})/(\d{2,3})(?![\d/]|[.,]\d)")
_ALL_DAY = re.compile(r"(?<![\d/])24/7(?![\d/])")
_HALF = re.compile(rf"{_B}(\d{{1,15}}\.(?:50*|25|75))\s+([a-z]+)\b")
_SPAN = re.compile(rf"{_B}({_N})\s*-\s*({_N})(?![\d.,:/-]*\d)")
_NUMBER = re.compile(rf"(?:(?<!\w)(?<!\d-))(-)(?={_N})|(\d+(?:\.\d+)?)")
_HALVED = {
    form: noun
    for noun in (
        "hour",
        "day",
        "week",
        "month",
        "year",
        "minute",
        "litre",
        "liter",
        "metre",
        "kilo",
        "kilogram",
        "kilometre",
        "mile",
    )
    for form in (noun, plural(noun))
}


def say_percentages(text: str) -> str:
    """`50%` and `10-15%`."""
    return _PERCENT.sub(_percent, text) if "%" in text else text


def _percent(found: re.Match[str]) -> str:
    low = decimal(found[1] or found[2])
    return f"{low} to {decimal(found[3])} percent" if found[3] else f"{low} percent"


def say_fractions(text: str) -> str:
    """`1/2 hour`, `2 1/2 hours`, `3/4`, `4.8/5`, and blood pressure: `120/80`."""
    if "/" not in text:
        return text
    text = _PRESSURE.sub(r"\1 over \2", text)
    text = _RATING.sub(r"\1 out of \2", _ALL_DAY.sub("twenty-four seven", text))
    return _FRACTION.sub(_fraction, text)


def _fraction(found: re.Match[str]) -> str:
    units, above, below, noun = found[1], int(found[2]), int(found[3]), found[5]
    name, tail = fraction(above, below), " of" if found[4] else f" {noun}" if noun else ""
    if " over " in name:
        return f"{f'{cardinal(int(units))} and ' if units else ''}{name}{tail}"
    if units:
        return f"{cardinal(int(units))} and {'a ' if above == 1 else ''}{name.removeprefix('one ')}{tail}"
    if above == 1 and noun in _HALVED:
        return f"{name if below == 2 else f'a {name} of'} {article(noun)} {_HALVED[noun]}"
    return f"{'a ' if above == 1 and ' ' not in name else ''}{name}{tail}"


def say_years(text: str) -> str:
    """Years where a preposition or another year shows that they are some, and decades."""
    text = _DECADE.sub(lambda found: _decade(found[1]), text)
    text = _YEAR_SPAN.sub(lambda found: f"{year(int(found[1]))} to {year(int(found[2]))}", text)
    return _YEAR.sub(lambda found: found[1] + year(int(found[2])), text)


def _decade(figures: str) -> str:
    words = year(int(figures)) if len(figures) == 4 else cardinal(int(figures))
    return f"{words[:-1]}ies" if words.endswith("y") else f"{words}s"


def say_ordinals(text: str) -> str:
    """`3rd`, and `10k`."""
    text = _ORDINAL.sub(lambda found: ordinal(int(found[1])), text)
    return _THOUSANDS.sub(lambda found: cardinal(round(float(found[1]) * 1000)), text)


def say_numbers(text: str) -> str:
    """Whatever figures are left."""
    text = _HALF.sub(lambda found: amount(found[1], _HALVED[found[2]]) if found[2] in _HALVED else found[0], text)
    text = _SPAN.sub(_span, text)
    return _NUMBER.sub(_number, text)


def _span(found: re.Match[str]) -> str:
    if is_label(found[1]) or float(found[1]) >= float(found[2]):
        return f"{found[1]} {found[2]}"
    return f"{decimal(found[1])} to {decimal(found[2])}"


def _number(found: re.Match[str]) -> str:
    if found[1]:
        return "minus "
    return digits(found[2]) if is_label(found[2]) and "." not in found[2] else decimal(found[2])
