"""Which of the known questions is this one?

Words are compared by stem, by meaning and by edit distance (RapidFuzz), and weighted by how few of the answers use
them (inverse document frequency, Spärck Jones 1972), so that `refrigerator` counts for more than `much`. The score of
an answer is made of two parts: the likeness to its nearest phrasing, and how much of the question is made of words
that this answer's phrasings use at all.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from rapidfuzz import fuzz

from core.catalogue import Answer
from worker.engines.llm.answers.words import Words, is_filler, words_of

_NEAREST_SHARE = 0.5
_KNOWN_SHARE = 0.5
_SHARPNESS = 1.5
_FILLER_WEIGHT = 0.12
_LEAST_LIKENESS = 0.78


@dataclass(frozen=True)
class Match:
    """An answer and how well the question fits it, 0 to 1."""

    answer: Answer
    score: float


class Matcher:
    """The questions of one persona, in all its languages."""

    def __init__(self, answers: Sequence[Answer]) -> None:
        self._phrasings = [(answer, _phrasings(answer)) for answer in answers]
        self._weights = _weights([words for _, words in self._phrasings])
        self._unknown = math.log(1.0 + len(answers)) ** _SHARPNESS if answers else 1.0

    def ranked(self, question: str) -> list[Match]:
        """Every answer with its score, the best first."""
        asked = words_of(question)
        matches = [Match(answer, self._score(asked, phrasings)) for answer, phrasings in self._phrasings]
        return sorted(matches, key=lambda match: -match.score)

    def _score(self, asked: Words, phrasings: Sequence[Words]) -> float:
        nearest = max((self._nearness(asked, words) for words in phrasings), default=0.0)
        vocabulary = tuple({word for words in phrasings for word in words})
        return _NEAREST_SHARE * nearest + (1.0 - _NEAREST_SHARE) * self._covered(asked, vocabulary)

    def _nearness(self, asked: Words, known: Words) -> float:
        return _KNOWN_SHARE * self._covered(known, asked) + (1.0 - _KNOWN_SHARE) * self._covered(asked, known)

    def _covered(self, words: Words, by: Words) -> float:
        """The weighted share of `words` that `by` has too."""
        weights = [self._weight(word) for word in words]
        found = sum(weight * _likest(word, by) for weight, word in zip(weights, words, strict=True))
        return found / (sum(weights) or 1.0)

    def _weight(self, word: str) -> float:
        return _FILLER_WEIGHT if is_filler(word) else self._weights.get(word, self._unknown)


def _phrasings(answer: Answer) -> list[Words]:
    return [words for asked in answer.questions.values() for text in asked if (words := words_of(text))]


def _weights(answers: Sequence[Iterable[Words]]) -> Mapping[str, float]:
    counts = Counter(word for phrasings in answers for word in {word for words in phrasings for word in words})
    return {word: math.log(1.0 + len(answers) / count) ** _SHARPNESS for word, count in counts.items()}


def _likest(word: str, others: Words) -> float:
    return 1.0 if word in others else max((_likeness(word, other) for other in others), default=0.0)


@lru_cache(maxsize=65536)
def _likeness(word: str, other: str) -> float:
    """Less than 1 for a slip of the pen in a longer word, else 0."""
    if min(len(word), len(other)) < 4:
        return 0.0
    likeness = fuzz.ratio(word, other) / 100.0
    return likeness if likeness >= _LEAST_LIKENESS else 0.0
