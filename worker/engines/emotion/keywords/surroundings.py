"""What stands around a feeling: denials, degrees, questions, names."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from core.kinds import Emotion
from worker.engines.emotion.keywords.lexicon import Feeling, Lexicon, Marker, Weight
from worker.engines.emotion.keywords.patterns import Found, Manner
from worker.engines.emotion.keywords.tokens import Tokens

_REACH = 4
"""Words before a feeling in which a denial or a degree belongs to it."""
_FAR = 30
"""Words before a feeling in which a question, a request or a condition is about it."""
_BEHIND = 2
"""Words behind a feeling in which a degree belongs to it (`زعلان جدا`, `happy a bit`)."""
_MOST = 2
"""Degrees that count: more of them say no more."""
_SUCH = "هال"
"""How a word begins that is cried out at rather than asked for (`شو هالاستهتار`)."""
_THIS = frozenset({"ده", "دي", "دا", "هذا", "هذه", "هذي", "هاد", "هاي", "هيدا", "هيدي"})
"""Words that do the same behind it (`ايه المفاجأة دي`)."""
_ENDS_A_DENIAL = {Marker.SUBJECT, Marker.CONTRAST, Marker.BOUND}
_SPEAKS = re.compile("ب(?![تين])|ان|أن|إن|ل|من$|على$|كت?ث?ير")
"""How the word begins that follows a feeling rather than a name (`سعيد بلقائكم`, `سعيد أنكم هنا`)."""


class Surroundings:
    """A text's markers by place, outside the words of feelings themselves."""

    def __init__(self, text: Tokens, found: Sequence[Found[Feeling]], known: Lexicon) -> None:
        self._text = text
        self._known = known
        self._taken = {at for one in found for at in range(one.start, one.end)}
        self._markers: dict[int, frozenset[Marker]] = {}
        self._search = known.markers.search(text.tokens)
        place = 0
        while place < len(text.tokens):
            place = self._mark(place)
        self._contrasts = {
            text.tokens[at].sentence: at for at, kinds in sorted(self._markers.items()) if Marker.CONTRAST in kinds
        }

    def is_denied(self, one: Found[Feeling]) -> bool:
        """Whether a denial before it reaches it: nothing that ends its reach stands between. A phrase is denied by the
        word before it alone, and anger's phrases are not (`do not waste my time`)."""
        phrase = one.meaning.weight is Weight.PHRASE
        if phrase and one.meaning.emotion is Emotion.ANGER:
            return False
        for at in self._before(one, reach=1 if phrase else _REACH):
            here = self._at(at)
            if Marker.NO_NEGATION in here:
                return False
            if Marker.NEGATION in here:
                return True
            if not here.isdisjoint(_ENDS_A_DENIAL):
                return False
        return False

    def degrees(self, one: Found[Feeling], kind: Marker) -> int:
        """How many words of that kind belong to it, at most two."""
        part = self._text.tokens[one.start].part
        behind = range(one.end, min(one.end + _BEHIND, len(self._text.tokens)))
        around = [*self._before(one), *(at for at in behind if self._text.tokens[at].part == part)]
        return min(_MOST, sum(kind in self._at(at) for at in around))

    def contrasted(self, one: Found[Feeling]) -> bool:
        """Whether a `but` follows it in its sentence."""
        return self._contrasts.get(self._text.tokens[one.start].sentence, -1) >= one.end

    def is_about(self, one: Found[Feeling]) -> bool:
        """Whether the feeling is only what a question, a request or a condition is about."""
        phrase = one.meaning.weight is Weight.PHRASE
        before = list(self._before(one, reach=_REACH if phrase else _FAR))
        if any(Marker.SUPPOSING in self._at(at) for at in before):
            return True
        if phrase:
            return False
        for at in before:
            here = self._at(at)
            if Marker.SUBJECT in here:
                return False
            if Marker.ASKING in here:
                return not _is_judgement(one.meaning) and not self._is_cried_at(one)
        return self._asks(one) and not _is_judgement(one.meaning) and one.meaning.emotion is not Emotion.SURPRISE

    def is_name(self, one: Found[Feeling]) -> bool:
        """Whether it is somebody's name rather than a feeling."""
        tokens = self._text.tokens
        whole = tokens[one.start].form.whole
        if one.end - one.start > 1 or whole.isdisjoint(self._known.names):
            return False
        before = self._at(one.start - 1)
        if Marker.TITLE in before:
            return True
        if tokens[one.start].text.isascii():
            first = one.start == 0 or tokens[one.start - 1].sentence != tokens[one.start].sentence
            return tokens[one.start].text.istitle() and not first
        return not self._is_felt(one)

    def _is_felt(self, one: Found[Feeling]) -> bool:
        tokens, part = self._text.tokens, self._text.tokens[one.start].part
        degree = self.degrees(one, Marker.STRONGER) or self.degrees(one, Marker.WEAKER)
        speaks = any({Marker.SUBJECT, Marker.NEGATION} & self._at(at) for at in self._before(one))
        ends = one.end >= len(tokens) or tokens[one.end].part != part
        follows = not ends and _SPEAKS.match(tokens[one.end].text) is not None
        return bool(degree) or speaks or ends or follows

    def _is_cried_at(self, one: Found[Feeling]) -> bool:
        """`شو هالاستهتار` and `ايه المفاجأة دي` ask nothing."""
        tokens = self._text.tokens
        this = one.end < len(tokens) and not tokens[one.end].form.whole.isdisjoint(_THIS)
        return this or tokens[one.start].text.startswith(_SUCH)

    def _asks(self, one: Found[Feeling]) -> bool:
        return "?" in self._text.ends[self._text.tokens[one.start].sentence]

    def _before(self, one: Found[Feeling], *, reach: int = _REACH) -> Iterator[int]:
        """The places before it in its part of the sentence, the nearest first."""
        part = self._text.tokens[one.start].part
        for at in range(one.start - 1, max(-1, one.start - reach - 1), -1):
            if self._text.tokens[at].part != part:
                return
            yield at

    def _at(self, place: int) -> frozenset[Marker]:
        return self._markers.get(place, frozenset())

    def _mark(self, place: int) -> int:
        """Notes what begins at a place; returns where to go on."""
        if place in self._taken:
            return place + 1
        here = [hit for hit in self._search.at(place) if hit.manner is Manner.WHOLE]
        if not here:
            return place + 1
        longest = here[0].end
        kinds = frozenset(hit.meaning for hit in here if hit.end == longest)
        for at in range(place, longest):
            self._markers[at] = kinds
        return longest


def _is_judgement(feeling: Feeling) -> bool:
    """Words that judge (`terrible`, `filthy`) do so in a question, too."""
    return feeling.weight is Weight.STRONG and feeling.emotion in (Emotion.ANGER, Emotion.DISGUST)
