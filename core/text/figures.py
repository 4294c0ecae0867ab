"""Figures in one spelling: ASCII digits, a point for decimals, no separators between thousands."""

from __future__ import annotations

import re
import unicodedata
from decimal import Decimal

NUMBER = r"\d+(?:\.\d+)?"
"""A plain number; say how it may begin with START and end with END."""
START = r"(?<![\dA-Za-z_.,:/+@#])"
END = r"(?![\dA-Za-z_]|[.,:/]\d)"
DASH = r"\s*[-–]\s*"

_SIGNS = str.maketrans(
    {
        "٪": "%",
        "٫": ".",
        "−": "-",
        "‒": "-",
        "–": "-",
        "⁄": "/",
        "½": " 1/2",
        "¼": " 1/4",
        "¾": " 3/4",
        "⅓": " 1/3",
        "⅔": " 2/3",
        "⅛": " 1/8",
    }
)
_OTHER_DIGIT = re.compile(r"(?![0-9])\d")
_RAISED = re.compile(r"(?<![mم])[²³]|[¹⁰⁴-⁹₀-₉①-⑨⑴-⑼❶-❾➀-➈➊-➒⓪⓵-⓽⓿]")
_THOUSANDS = re.compile(r"(?<![\d.])\d{1,3}(?:[,٬\u00a0\u202f'’]\d{3})+(?!\d)")
_SEASON = re.compile(r"(?<![\d/])((?:19|20)\d\d)/((?:19|20)\d\d)(?![\d/])")
_SEPARATOR = re.compile(r"\D")


def normalised(text: str) -> str:
    """`text` with all its figures in ASCII: `٣٫٥` is 3.5, `½` is 1/2; two years with a stroke are a span."""
    if not text.isascii():
        text = _OTHER_DIGIT.sub(_ascii, text.translate(_SIGNS))
        text = _RAISED.sub(_ascii, text)
    return _SEASON.sub(r"\1-\2", text)


def joined(text: str) -> str:
    """`text` without the separators between thousands: `1,200` is 1200."""
    return _THOUSANDS.sub(lambda found: _SEPARATOR.sub("", found[0]), text)


def _ascii(found: re.Match[str]) -> str:
    return str(unicodedata.digit(found[0]))


def whole(figures: str) -> int | None:
    """The integer that the figures stand for; None where they have a fraction other than zero."""
    exact = Decimal(figures)
    return int(exact) if exact == exact.to_integral_value() else None


def is_label(figures: str) -> bool:
    """Whether the figures name something instead of counting it: they begin with a zero or are very many."""
    return (len(figures) > 1 and figures.startswith("0") and "." not in figures) or len(figures.split(".")[0]) > 15
