"""Greetings, thanks and the like: what of a message is small talk, and what is left to be answered."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from rapidfuzz import fuzz, process

from core.catalogue import read_toml
from core.text import fold
from worker.engines.llm.answers.wording import words_of

TABLE: Mapping[str, Any] = read_toml(Path(__file__).with_name("smalltalk.toml"))
BY_ID: Mapping[str, Mapping[str, Any]] = {row["id"]: row for row in TABLE["small"]}
GREETINGS = ("salam", "morning", "evening", "hello")

_DROPPED = frozenset(["am", "is", "are", "s", "m", "re"])
_POLITE = re.compile(r" (?:please|pls|plz|kindly|من فضلك\w*|لو سمحت\w*|بليز)(?= )")
_SEGMENT = re.compile(r"[^.!?؟،,;؛:…\n]+[.!?؟،,;؛:…\n]*")
_LEAST_LIKENESS = 90.0
_FEWEST_LETTERS = 7
_LONGEST_EDGE = 6
_NOT_AT_EDGES = frozenset(fold("morning evening afternoon").split())
_CALL = "يا"
_LETTER = re.compile(r"[^\W\d_]")
_KNOWN_LETTER = re.compile("[A-Za-z\u00c0-\u024f\u0621-\u064a\u066e-\u06d3]")


def _plain(words: Sequence[str]) -> tuple[str, ...]:
    """Without forms of `be` and politeness, unless nothing else is said."""
    said = _POLITE.sub(" ", f" {' '.join(words)} ").split() or words
    return tuple(word for word in said if word not in _DROPPED)


def _phrases(place: str | None = None) -> dict[tuple[str, ...], str]:
    found: dict[tuple[str, ...], str] = {}
    for row in TABLE["small"]:
        if place in (None, row["place"]):
            for phrase in (*row["ar"], *row["en"]):
                found.setdefault(_plain(words_of(phrase)), row["id"])
    return found


_ALL = _phrases()
_EDGES = {words: small for words, small in _phrases("edge").items() if words and words[0] not in _NOT_AT_EDGES}
_JOINED = {" ".join(words): small for words, small in _ALL.items() if len(" ".join(words)) >= _FEWEST_LETTERS}


@dataclass(frozen=True)
class Segment:
    """A part of a message between two marks. asks: whether it ends in a question mark."""

    words: tuple[str, ...]
    asks: bool


@dataclass(frozen=True)
class Parted:
    """small: ids of the small talk, in order. rest: what is left."""

    small: tuple[str, ...]
    rest: tuple[Segment, ...]


@lru_cache(maxsize=1024)
def parted(text: str) -> Parted:
    """A message in small talk and the rest."""
    small: list[str] = []
    rest: list[Segment] = []
    for match in _SEGMENT.finditer(text):
        found, words = _segment(words_of(match[0]))
        small += found
        if words:
            rest.append(Segment(words, "?" in match[0] or "؟" in match[0]))
    return Parted(tuple(small), tuple(rest))


def _segment(words: tuple[str, ...]) -> tuple[list[str], tuple[str, ...]]:
    words = _without_call(words)
    if not words:
        return [], ()
    if whole := alone(words):
        return [whole], ()
    before, words = _edge(words, from_start=True)
    after, words = _edge(words, from_start=False)
    inner = alone(words) if words else ""
    if inner:
        return [*before, inner, *after], ()
    return [*before, *after], words


def _without_call(words: tuple[str, ...]) -> tuple[str, ...]:
    """Without `يا` and the one who is called, at the end."""
    return words[:-2] if len(words) > 1 and words[-2] == _CALL and len(words) > 2 else words


def alone(words: Sequence[str]) -> str:
    """The small talk that these words are, all together; empty for none."""
    plain = _plain(words)
    if plain in _ALL:
        return _ALL[plain]
    said = " ".join(plain)
    if len(said) < _FEWEST_LETTERS:
        return ""
    near = process.extractOne(said, _JOINED.keys(), scorer=fuzz.ratio, score_cutoff=_LEAST_LIKENESS)
    return _JOINED[near[0]] if near else ""


def _edge(words: tuple[str, ...], *, from_start: bool) -> tuple[list[str], tuple[str, ...]]:
    """The small talk at one end, and the words without it."""
    found: list[str] = []
    while words:
        length = next(
            (n for n in range(min(_LONGEST_EDGE, len(words)), 0, -1) if _at(words, n, from_start) in _EDGES), 0
        )
        if not length:
            break
        found.append(_EDGES[_at(words, length, from_start)])
        words = words[length:] if from_start else words[:-length]
    return (found if from_start else found[::-1]), words


def _at(words: tuple[str, ...], length: int, from_start: bool) -> tuple[str, ...]:
    return _plain(words[:length] if from_start else words[-length:])


def of_emoji(text: str) -> str:
    """The small talk that a message of emoji alone stands for; empty for none."""
    return next((str(small) for mark, small in TABLE["emoji"]["ar"].items() if mark in text), "")


def is_foreign(text: str) -> bool:
    """Whether it has letters, most of them neither Arabic nor Latin."""
    letters = _LETTER.findall(text)
    return len(_KNOWN_LETTER.findall(text)) * 2 < len(letters)
