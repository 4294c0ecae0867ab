"""The engine `keywords`."""

from __future__ import annotations

import re
from typing import ClassVar

from core.kinds import LANGUAGES, Emotion
from core.text import fold
from worker.engines.base import Needs
from worker.engines.emotion.base import Reading
from worker.engines.emotion.keywords.lexicon import Lexicon, lexicon

_BASE = 0.55
_STRONGER = 0.2
_WEAKER = -0.25
_ANOTHER_HIT = 0.12
_SHOUTED = 0.1
_LEAST = 0.15
_WINDOW = 3
"""Words before a keyword in which a negation or a degree belongs to it, and after it a degree (`زعلان جدا`)."""
_SHOUT = re.compile(r"!{2,}|[!؟?]{3,}|(\w)\1{2,}|\b[A-Z]{4,}\b")
_OPPOSITE = {Emotion.JOY: Emotion.SADNESS}
"""What a denied emotion says: `not happy` is sad, `not afraid` is nothing."""


class Keywords:
    """Counts what is said of each emotion; the strongest wins, and of two the one that was said last."""

    name: ClassVar[str] = "keywords"
    needs: ClassVar[Needs] = Needs(languages=LANGUAGES)

    def load(self) -> None:
        lexicon()

    def unload(self) -> None:
        lexicon.cache_clear()

    def read(self, text: str, *, language: str) -> Reading:
        known = lexicon()
        hits = [*_spoken(fold(text).split(), known), *_drawn(text, known)]
        if not hits:
            return Reading(Emotion.NEUTRAL, 0.0)
        totals: dict[Emotion, float] = {}
        for emotion, strength in hits:
            totals[emotion] = max(totals[emotion], strength) + _ANOTHER_HIT if emotion in totals else strength
        order = [emotion for emotion, _ in hits]
        best = max(totals, key=lambda emotion: (totals[emotion], _last(order, emotion)))
        intensity = totals[best] + _SHOUTED * bool(_SHOUT.search(text))
        return Reading(best, round(min(max(intensity, _LEAST), 1.0), 3))


def _spoken(words: list[str], known: Lexicon) -> list[tuple[Emotion, float]]:
    hits: list[tuple[Emotion, float]] = []
    for place in range(len(words)):
        for keyword in known.keywords:
            if keyword.at(words, place):
                hit = _judged(keyword.emotion, words, place, len(keyword.words), known)
                hits.extend([hit] if hit else [])
    return hits


def _judged(
    emotion: Emotion, words: list[str], place: int, length: int, known: Lexicon
) -> tuple[Emotion, float] | None:
    """The emotion and its strength with what stands around it; None where it is denied."""
    before = words[max(0, place - _WINDOW) : place]
    around = {*before, *words[place + length : place + length + 1]}
    strength = _BASE + _STRONGER * bool(around & known.stronger) + _WEAKER * bool(around & known.weaker)
    if not set(before) & known.negations:
        return emotion, strength
    return (_OPPOSITE[emotion], _BASE + _WEAKER / 2) if emotion in _OPPOSITE else None


def _drawn(text: str, known: Lexicon) -> list[tuple[Emotion, float]]:
    return [(known.emoji[char], _BASE) for char in text if char in known.emoji]


def _last(order: list[Emotion], emotion: Emotion) -> int:
    return max(place for place, other in enumerate(order) if other is emotion)
