"""Figures that name something: codes and rooms digit by digit, and tokens of letters and figures."""

from __future__ import annotations

import re

from core.text import codes
from core.text.english.numbers import cardinal, digits

_NAMED = re.compile(
    r"\b(?:room|suite|flight|bus|booking|code|pin|order|reference|ref|invoice|extension|ext|"
    r"po box|p\.o\. box|phone|"
    r"telephone|fax|mobile|otp|account|card|tracking|ticket number|booking number|order number|customer number)"
    r"(?:\s+(?:number|no\.?|is|code|us on|us at|on|at|to))*\s*[:#]?\s*(\d{3,6})(?![\d%]|[.,:/ -]\d)",
    re.IGNORECASE,
)
_CALL = re.compile(
    r"\b(?:call|dial|ring)(?:\s+(?:us\s+)?(?:on|at)|\s[^.!?\d\n]{1,30}\s(?:on|at))?\s+(\d{3,6})"
    r"(?![\d%]|[.,:/ -]\d|\s+[a-z]{4,}s\b)",
    re.IGNORECASE,
)
_VERSION = re.compile(r"(?<!\w)v\.?\s?(?=\d)", re.IGNORECASE)
_DOTTED = re.compile(r"(?<![\d.])\d+(?:\.\d+){2,}(?![\d.]*\d)")


def say_codes(text: str) -> str:
    """Behind room, booking, code, call …: digit by digit."""
    return codes.say_figures(text, (_NAMED, _CALL), digits)


def say_versions(text: str) -> str:
    """`v2.5` and `2.5.1`."""
    text = _VERSION.sub("version ", text)
    return _DOTTED.sub(lambda found: " point ".join(cardinal(int(part)) for part in found[0].split(".")), text)


def say_tokens(text: str) -> str:
    """SV1234 letter by letter and figure by figure."""
    return codes.say_tokens(text, lambda token: codes.say_runs(token, _run))


def _run(run: str, only: bool) -> str:
    if not run.isdigit():
        return " ".join(run) if run.isupper() and len(run) < 5 else run
    return cardinal(int(run)) if only and len(run) < 3 and not run.startswith("0") else digits(run)
