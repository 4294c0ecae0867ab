"""words.toml, ready to be looked up."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from functools import cache
from pathlib import Path
from typing import Any

from core.catalogue import read_toml
from core.kinds import Emotion
from worker.engines.emotion.keywords.patterns import Index, Pattern, parsed, sign
from worker.engines.emotion.keywords.spelling import spellings
from worker.engines.emotion.keywords.tokens import tokenizer


class Weight(Enum):
    """How much an entry says; the value is the intensity that it has by itself."""

    STRONG = 0.65
    PLAIN = 0.55
    MILD = 0.4
    PHRASE = 0.6


class Marker(Enum):
    """What stands around a feeling and changes it."""

    NEGATION = "negation"
    NO_NEGATION = "no_negation"
    STRONGER = "stronger"
    WEAKER = "weaker"
    CONTRAST = "contrast"
    SUBJECT = "subject"
    BOUND = "bounds"
    ASKING = "asking"
    SUPPOSING = "supposing"
    TITLE = "titles"


@dataclass(frozen=True)
class Feeling:
    """What an entry means; NEUTRAL: it hides the feelings that its words have elsewhere."""

    emotion: Emotion
    weight: Weight


@dataclass(frozen=True)
class Lexicon:
    feelings: Index[Feeling]
    markers: Index[Marker]
    names: frozenset[str]
    astonished: Index[None]
    exclaimed: Index[None]
    cut: re.Pattern[str]


_SECTIONS = {"strong": Weight.STRONG, "plain": Weight.PLAIN, "mild": Weight.MILD, "phrases": Weight.PHRASE}
EMOTIONS = tuple(emotion for emotion in Emotion if emotion is not Emotion.NEUTRAL)


@cache
def lexicon() -> Lexicon:
    """All languages together: people mix them. Raises ConfigurationError where the file cannot be read."""
    table = read_toml(Path(__file__).with_name("words.toml"))
    signs = {text: feeling for feeling, text in _signs(table)}
    return Lexicon(
        feelings=Index([*_feelings(table), *(sign(text, feeling) for text, feeling in signs.items())]),
        markers=Index(_markers(table)),
        names=_words(table["names"]),
        astonished=_plain(table["astonished"]),
        exclaimed=_plain(table["exclaimed"]),
        cut=tokenizer(signs),
    )


def entries(rows: dict[str, str]) -> Iterator[str]:
    """The entries of a section, whatever their language."""
    for row in rows.values():
        yield from (entry.strip() for entry in row.split(",") if entry.strip())


def _plain(rows: dict[str, str]) -> Index[None]:
    return Index(pattern for entry in entries(rows) for pattern in parsed(entry, None))


def _words(rows: dict[str, str]) -> frozenset[str]:
    return frozenset(form for entry in entries(rows) for form in spellings(entry))


def _feelings(table: dict[str, Any]) -> Iterator[Pattern[Feeling]]:
    for emotion in EMOTIONS:
        for section, weight in _SECTIONS.items():
            for entry in entries(table[emotion.value].get(section, {})):
                yield from parsed(entry, Feeling(emotion, weight))
    for entry in entries(table["neutral"]):
        yield from parsed(entry, Feeling(Emotion.NEUTRAL, Weight.PHRASE))


def _markers(table: dict[str, Any]) -> Iterator[Pattern[Marker]]:
    for marker in Marker:
        for entry in entries(table[marker.value]):
            yield from parsed(entry, marker)


def _signs(table: dict[str, Any]) -> Iterator[tuple[Feeling, str]]:
    for emotion in EMOTIONS:
        for section, row in table["emoji"][emotion.value].items():
            for text in row.split():
                yield Feeling(emotion, _SECTIONS[section]), text
