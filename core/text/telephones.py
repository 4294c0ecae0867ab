"""Telephone numbers and other figures that are read digit by digit, with pauses."""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import accumulate

Digits = Callable[[str], str]
"""Says figures one by one."""

_TELEPHONE = re.compile(
    r"(?<![\w.,:/+])(?<!\d-)(\+|00)?((?:\d{0,3}[ -]?\(\d{1,4}\)|\d)[\d \-]{5,36}\d)(?![\w%]|[.,:/]\d|-\d)"
)
_YEARS = re.compile(r"(?:19|20)\d\d *- *(?:19|20)\d\d")
_GROUP = re.compile(r"\d+")
_SIZES = {7: (3, 4), 8: (4, 4), 10: (3, 3, 4), 11: (3, 4, 4)}
"""Of the groups, by the number of figures."""
_CODES = ("966", "971", "962", "963", "964", "967", "970", "212", "213")
"""Of countries whose numbers have nine figures behind the code."""
_LEAST, _LONGEST_GROUP = 7, 5


def say_telephones(text: str, digits: Digits, plus: str, pause: str, counts: Callable[[str], bool]) -> str:
    """The text with its telephone numbers said in their groups, or in those in which people say them.

    counts: whether what follows a figure is what it counts, so that it is no telephone number."""

    def said(found: re.Match[str]) -> str:
        written, groups = _GROUP.findall(found[2]), _groups(found[2])
        length = sum(map(len, groups))
        plain = len(written) == 1 and not found[1] and not written[0].startswith("0")
        if length < _LEAST or _YEARS.fullmatch(found[0]) or (plain and counts(found.string[found.end() :])):
            return found[0]
        if not found[1] and len(groups) > 1 and length < 8 and not groups[0].startswith("0"):
            return found[0]
        lead = plus if found[1] == "+" else digits(found[1]) if found[1] else ""
        return " ".join(filter(None, (lead, f"{pause} ".join(map(digits, groups)))))

    return _TELEPHONE.sub(said, text)


def _groups(written: str) -> list[str]:
    groups = _GROUP.findall(written)
    if len(groups) > 1 and max(map(len, groups)) <= _LONGEST_GROUP:
        return groups
    return _grouped("".join(groups))


def _grouped(figures: str) -> list[str]:
    """As people say a number of that length: 055 123 4567; 010 1234 5678; 966 50 123 4567."""
    sizes = _SIZES.get(len(figures), ())
    if len(figures) == 12 and figures.startswith(_CODES):
        sizes = (3, 2, 3, 4)
    elif len(figures) == 12 and figures.startswith("20"):
        sizes = (2, 2, 4, 4)
    if not sizes:
        return in_threes(figures)
    ends = list(accumulate(sizes))
    return [figures[end - size : end] for size, end in zip(sizes, ends, strict=True)]


def in_threes(figures: str) -> list[str]:
    """Groups of three; a single figure that is left over joins the first group."""
    first = 3 + len(figures) % 3 if len(figures) % 3 == 1 and len(figures) > 3 else len(figures) % 3 or 3
    return [figures[:first], *(figures[start : start + 3] for start in range(first, len(figures), 3))]
