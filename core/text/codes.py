"""Codes: figures, and tokens of letters and figures, that are said piece by piece; the words are each language's."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

_CODE = re.compile(r"(?<![\w.])(?=[A-Za-z-]*\d)(?=[\d-]*[A-Za-z])[A-Za-z\d]+(?:-[A-Za-z\d]+)*(?![A-Za-z\d])")
_RUN = re.compile(r"[A-Za-z]+|\d+")
_FIGURES = re.compile(r"\d+")


def say_figures(text: str, patterns: Iterable[re.Pattern[str]], digits: Callable[[str], str]) -> str:
    """The text with the figures in what the patterns find said by `digits`."""
    for pattern in patterns:
        text = pattern.sub(lambda found: _FIGURES.sub(lambda figures: digits(figures[0]), found[0]), text)
    return text


def say_tokens(text: str, say: Callable[[str], str]) -> str:
    """The text with its tokens of letters and figures (SV1234, A4-B2) said."""
    return _CODE.sub(lambda found: say(found[0]), text)


def say_runs(token: str, say: Callable[[str, bool], str]) -> str:
    """Each run of letters or of figures said; `say` is also told whether the token has only one run of figures."""
    runs = _RUN.findall(token)
    one = sum(run.isdigit() for run in runs) == 1
    return " ".join(say(run, one) for run in runs)
