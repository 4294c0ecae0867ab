"""Which Arabic somebody writes, so that the answer can be in the same."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from enum import StrEnum
from pathlib import Path

from core.text import fold

_OWN, _SHARED = 2.0, 1.0
_BEFORE = 0.5
"""What a word counts that was said in an earlier message: people keep to one dialect, but not every line shows it."""
_LEAST = 2.0
"""Points below which a text counts as standard Arabic: one word that a dialect has alone."""


class Dialect(StrEnum):
    """The Arabics that are told apart."""

    MSA = "msa"
    EGYPTIAN = "egyptian"
    GULF = "gulf"
    LEVANTINE = "levantine"
    MAGHREBI = "maghrebi"


Points = Mapping[Dialect, float]


_TABLE = tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))


def _read() -> dict[str, Points]:
    """By folded word, the points of each dialect that has it."""
    found: dict[str, dict[Dialect, float]] = {}
    for name, words in _TABLE.items():
        for key, points in (("shared", _SHARED), ("own", _OWN)):
            for word in fold(words[key]).split():
                found.setdefault(word, {})[Dialect(name)] = points
    return dict(found)


_POINTS = _read()
_PATTERNS = [
    (Dialect(name), re.compile(rf"(?<!\w)(?:{pattern})"))
    for name, words in _TABLE.items()
    for pattern in words.get("patterns", ())
]


def dialect_of(texts: Sequence[str]) -> Dialect:
    """The dialect of the last text, in doubt of those before it too; texts: what one person wrote, oldest first."""
    last = _points(texts[-1:])
    if found := _clear(last):
        return found
    before = _points(texts[:-1])
    both = {dialect: last.get(dialect, 0.0) + _BEFORE * before.get(dialect, 0.0) for dialect in {*last, *before}}
    return _clear(both) or Dialect.MSA


def _clear(points: Points) -> Dialect | None:
    """The dialect that has enough points, and more than any other."""
    best = sorted(points.items(), key=lambda pair: -pair[1])[:2]
    if not best or best[0][1] < _LEAST or (len(best) > 1 and best[1][1] == best[0][1]):
        return None
    return best[0][0]


def _points(texts: Sequence[str]) -> Points:
    points: dict[Dialect, float] = {}
    for text in map(fold, texts):
        for word in text.split():
            for dialect, score in (_POINTS.get(word) or _POINTS.get(_bare(word)) or {}).items():
                points[dialect] = points.get(dialect, 0.0) + score
        for dialect, pattern in _PATTERNS:
            if found := len(pattern.findall(text)):
                points[dialect] = points.get(dialect, 0.0) + _OWN * found
    return points


def _bare(word: str) -> str:
    """Without what is written together with it (`وبدي`, `فعايز`)."""
    return word[1:] if len(word) > 3 and word[0] in "وفب" else word
