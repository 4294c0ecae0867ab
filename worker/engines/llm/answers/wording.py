"""A text as folded words."""

from __future__ import annotations

import re

from core.text import fold

MOST_WORDS = 120
"""Of a longer text only the first and the last words are read."""
_CONTRACTED = re.compile(r"(?<=[A-Za-z])['’](?:d|ll|re|ve|m|s)\b", re.IGNORECASE)
_IRREGULAR = re.compile(r"\b(?:(?P<can>can(?:['’]?t|not))|won['’]t|wont)\b", re.IGNORECASE)
_NEGATED = re.compile(
    r"(?<=[A-Za-z])n['’]t\b|(?<=\bdo|\bis)nt\b|(?<=\bdid|\bare|\bhas|\bwas)nt\b|(?<=\bdoes|\bhave|\bwere)nt\b",
    re.IGNORECASE,
)


def words_of(text: str) -> tuple[str, ...]:
    """The folded words, without what English contracts."""
    whole = _IRREGULAR.sub(lambda match: "can not" if match["can"] else "will not", text)
    words = fold(_CONTRACTED.sub(" ", _NEGATED.sub(" not", whole))).split()
    if len(words) > MOST_WORDS:
        words = words[: MOST_WORDS // 2] + words[-MOST_WORDS // 2 :]
    return tuple(words)
