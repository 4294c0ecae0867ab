"""The engine `keywords`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import ClassVar

from core.kinds import LANGUAGES, Emotion
from worker.engines.base import Needs
from worker.engines.emotion.base import Reading
from worker.engines.emotion.keywords.hits import Hit, hits
from worker.engines.emotion.keywords.lexicon import Lexicon, lexicon
from worker.engines.emotion.keywords.patterns import Index
from worker.engines.emotion.keywords.tokens import Token, Tokens, tokens

_ANOTHER_HIT = 0.08
_CRIED = 0.07
"""What each `!` adds, up to two of them."""
_MOST_CRIED = 2
_CONTRASTED = 0.45
"""What is left of a feeling when a `but` follows it."""
_ASTONISHED = 0.35
_BAFFLED = re.compile(r"\?!|!\?")
_CRIED_OUT = re.compile(r"!|\?\?")


class Keywords:
    """Finds what is said of each emotion; the strongest wins, and of two the one that was said last."""

    name: ClassVar[str] = "keywords"
    needs: ClassVar[Needs] = Needs(languages=LANGUAGES)

    def load(self) -> None:
        lexicon()

    def unload(self) -> None:
        lexicon.cache_clear()

    def read(self, text: str, *, language: str) -> Reading:
        known = lexicon()
        cut = tokens(text, known.cut)
        found = hits(cut, known) or _baffled(cut, known)
        if not found:
            return Reading(Emotion.NEUTRAL, 0.0)
        totals = _totals(found)
        best = max(totals, key=lambda emotion: (round(totals[emotion], 6), _last(found, emotion)))
        return Reading(best, round(min(totals[best] + _CRIED * _cries(cut), 1.0), 3))


def _totals(found: Sequence[Hit]) -> dict[Emotion, float]:
    """The strongest hit of each emotion, and a little for each other one."""
    later = {hit.sentence for hit in found if not hit.contrasted}
    strengths: dict[Emotion, list[float]] = {}
    for hit in found:
        weaker = hit.contrasted and hit.sentence in later
        strengths.setdefault(hit.emotion, []).append(hit.strength * (_CONTRASTED if weaker else 1.0))
    return {emotion: max(each) + _ANOTHER_HIT * (len(each) - 1) for emotion, each in strengths.items()}


def _baffled(cut: Tokens, known: Lexicon) -> list[Hit]:
    """A sentence that ends in `?!` is astonished at whatever it says, and so is a mere `really?` or `what!`."""
    for at, end in enumerate(cut.ends):
        words = [token for token in cut.tokens if token.sentence == at]
        asked = "?" in end and _is_all(words, known.astonished)
        if words and (asked or _BAFFLED.search(end) or (_CRIED_OUT.search(end) and _is_all(words, known.exclaimed))):
            return [Hit(Emotion.SURPRISE, _ASTONISHED, 0, at)]
    return []


def _is_all(words: Sequence[Token], index: Index[None]) -> bool:
    """Whether an entry covers all of the words."""
    return bool(words) and any(found.end == len(words) for found in index.search(words).at(0))


def _cries(cut: Tokens) -> int:
    return min(_MOST_CRIED, max(end.count("!") for end in cut.ends))


def _last(found: Sequence[Hit], emotion: Emotion) -> int:
    return max(hit.place for hit in found if hit.emotion is emotion)
