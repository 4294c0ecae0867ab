"""Which of a persona's answers a message is about: only an order, for what goes into a prompt first.

Words count by their beginnings of three letters and more and by their runs of four letters, after the article and one
attached particle, so that inflections and most dialect forms meet; each weighs by how few answers have it (inverse
document frequency, Spärck Jones 1972). The model reads what is found and judges for itself.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache

from core.persona import Answer, Persona
from core.text import fold

_KIND = re.compile(r"\{[^{}]*\}")
_ARTICLE = re.compile(r"^[وفبلك]?(?:ال|لل)(?=\w{3})|^[وفبل](?=\w{4})")
_RUN = 4
_WORD, _SAID = 2.0, 0.5
"""What a whole word weighs beside its runs; what is only said in an answer, and not asked."""
_NEAREST = 0.7
"""The share of the likeliest single question in an answer's mark; the rest is all that its questions have together."""

Features = Mapping[str, float]


class Likeness:
    """A persona's answers, prepared for `marks`."""

    def __init__(self, persona: Persona) -> None:
        self._asked = [[features(text) for text in _questions(answer)] for answer in persona.answers]
        self._own = [self._together(answer, asked) for answer, asked in zip(persona.answers, self._asked, strict=True)]
        count = Counter(name for own in self._own for name in own)
        self._weights = {name: math.log(1 + len(self._own) / number) for name, number in count.items()}
        self._norms = [[self._norm(asked) for asked in questions] for questions in self._asked]

    def _together(self, answer: Answer, asked: Iterable[Features]) -> Features:
        said = [*answer.text.values(), *(text for case in answer.cases for text in case.text.values())]
        own = dict.fromkeys((name for text in said for name in features(_KIND.sub(" ", text))), _SAID)
        return own | dict.fromkeys((name for each in asked for name in each), 1.0)

    def marks(self, text: str) -> list[float]:
        """Of each answer, 0 to 1: how like the text is to its questions."""
        wanted = {name: value for name, value in features(text).items() if name in self._weights}
        norm = self._norm(wanted)
        if not norm:
            return [0.0] * len(self._own)
        whole = sum(self._weights[name] for name in wanted)
        shares = [sum(self._weights[name] * own.get(name, 0.0) for name in wanted) / whole for own in self._own]
        return [
            _NEAREST * self._nearest(wanted, norm, place) + (1 - _NEAREST) * share for place, share in enumerate(shares)
        ]

    def _nearest(self, wanted: Features, norm: float, place: int) -> float:
        """The cosine with the likeliest question."""
        return max(
            (
                sum(value * asked[name] * self._weights[name] ** 2 for name, value in wanted.items() if name in asked)
                / (norm * own)
                for asked, own in zip(self._asked[place], self._norms[place], strict=True)
                if own
            ),
            default=0.0,
        )

    def _norm(self, named: Features) -> float:
        return math.sqrt(sum((value * self._weights[name]) ** 2 for name, value in named.items()))


def features(text: str) -> Features:
    """The words of a text and their runs of letters, with their weights."""
    found: Counter[str] = Counter()
    for word in fold(text).split():
        for name, value in _of_word(word):
            found[name] = max(found[name], value)  # type: ignore[assignment]
    return found


@lru_cache(maxsize=32768)
def _of_word(word: str) -> Sequence[tuple[str, float]]:
    bare = _ARTICLE.sub("", word)
    padded = f"<{bare}>"
    runs = {padded[place : place + _RUN]: 1.0 for place in range(len(padded) - _RUN + 1)}
    return tuple((runs | {f"={bare}": _WORD}).items())


def _questions(answer: Answer) -> list[str]:
    asked = [text for texts in answer.questions.values() for text in texts]
    return [_KIND.sub(" ", text) for text in (*asked, *answer.topic.values())]
