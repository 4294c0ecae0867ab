"""The data file as tables that are quick to search."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from core.catalogue import read_toml
from core.kinds import Emotion
from core.text import fold

_PREFIX = re.compile(r"^(?:وال|بال|ال|و|ف|ب)(?=\w{3})")
_SHORT_STEM = 3


@dataclass(frozen=True)
class Keyword:
    """One or more words that follow each other; the last matches as a stem unless `whole`."""

    words: tuple[str, ...]
    whole: bool
    emotion: Emotion

    def at(self, words: list[str], place: int) -> bool:
        """Whether it stands at this place of a folded text's words."""
        here = words[place : place + len(self.words)]
        if len(here) < len(self.words) or here[1:-1] != list(self.words[1:-1]):
            return False
        first = len(self.words) == 1 or _is(here[0], self.words[0], whole=True)
        return first and _is(here[-1], self.words[-1], whole=self.whole)


@dataclass(frozen=True)
class Lexicon:
    keywords: tuple[Keyword, ...]
    emoji: dict[str, Emotion]
    negations: frozenset[str]
    stronger: frozenset[str]
    weaker: frozenset[str]


def _is(word: str, key: str, *, whole: bool) -> bool:
    return any(form == key if whole else form.startswith(key) for form in {word, _PREFIX.sub("", word)})


@cache
def lexicon() -> Lexicon:
    """Both languages together: people mix them."""
    table = read_toml(Path(__file__).with_name("words.toml"))
    emotions = [emotion for emotion in Emotion if emotion.value in table]
    return Lexicon(
        keywords=tuple(
            _keyword(entry, emotion)
            for emotion in emotions
            for entries in table[emotion.value].values()
            for entry in entries.split(",")
        ),
        emoji={char: emotion for emotion in emotions for char in table["emoji"][emotion.value]},
        negations=_words(table["negation"]),
        stronger=_words(table["stronger"]),
        weaker=_words(table["weaker"]),
    )


def _keyword(entry: str, emotion: Emotion) -> Keyword:
    words = tuple(fold(entry).split())
    whole = entry.strip().startswith("=") or len(words[-1]) <= _SHORT_STEM
    return Keyword(words, whole, emotion)


def _words(rows: dict[str, str]) -> frozenset[str]:
    return frozenset(fold(" ".join(rows.values())).split())
