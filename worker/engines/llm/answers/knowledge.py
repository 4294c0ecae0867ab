"""What one persona knows, ready to be asked."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain, pairwise

from rapidfuzz import process
from rapidfuzz.distance import OSA

from core.persona import Answer, Persona
from core.text import fold
from worker.engines.llm.answers import table
from worker.engines.llm.answers.arabic import skeleton
from worker.engines.llm.answers.entities import Names
from worker.engines.llm.answers.features import features
from worker.engines.llm.answers.judging import Judges
from worker.engines.llm.answers.reading import Reader, Reading, Token, phrasing

_ASKING_SHARE, _COMMON_SHARE, _UNKNOWN_SHARE, _FOREIGN_SHARE = 0.5, 0.15, 0.75, 3.0
"""How much weigh, beside a word that the persona knows: a question word; a word that it does not know, one of every
day, any other one, and one whose meaning is known but no matter of this persona."""
_IMPLIED, _SAID, _ELSEWHERE = 0.7, 0.6, 0.2
"""How far a word counts as known to an answer that is implied by another, stands only in its text, or is known to
other answers alone."""

_FEWEST_TO_SWAP, _FEWEST_TO_CORRECT, _TWO_SLIPS, _FEWEST_FOR_BONES = 4, 6, 9, 3
"""Letters of a word of which two may be swapped, of which one, or two, may be wrong; more letters than these has a
word that is known by its consonants."""

_DOUBT = 0.75
"""An answer that knows the words but was never asked like this is doubted: the share that is left where nothing is
learnt."""
_ARTICLES = frozenset(["the", "a", "an", "my", "your", "any", "some", "this", "that"])
_TOWARDS = frozenset(map(fold, ("إلى", "ل", "على")))

Phrasings = Sequence[Sequence[Token]]
"""The ways of asking for one answer."""


@dataclass(frozen=True)
class Fit:
    """How well an answer fits: the judges' marks and how much of the message it knows, each about 0 to 1."""

    place: int
    learnt: float
    nearest: float
    covered: float

    @property
    def score(self) -> float:
        """About 0 to 1: a logistic regression told right answers from questions about other matters; of its weights
        only the proportions stand here. It was fitted to tests/data/answers, the shipped personas' phrasings with a
        fifth of them left out, and the phrasings of the other personas as other matters."""
        score = 0.4 * min(self.learnt, 1.0) + 0.02 * self.nearest + 0.58 * self.covered
        return score * min(1.0, _DOUBT + self.learnt)


class Knowledge:
    """A persona's questions, prepared; reads messages and says how well each answer fits."""

    def __init__(self, persona: Persona) -> None:
        self.persona = persona
        self.names = Names(persona.entities)
        self._vocabulary: dict[str, str] = {}
        self._bones: dict[str, str] = {}
        self._phrasings = [[phrasing(text, self.names) for text in _phrasings(answer)] for answer in persona.answers]
        self._asked = [self._asked_words(phrasings) for phrasings in self._phrasings]
        self._hinted = [_hinted_words(phrasings) for phrasings in self._phrasings]
        self._said = [self._said_words(answer) for answer in persona.answers]
        self.takes = [_kinds(answer) for answer in persona.answers]
        self._before = self._words_before()
        self._judges = Judges(self.examples(), len(persona.answers))
        self._reader = Reader(self.names, self._vocabulary.__contains__)

    def examples(self) -> list[tuple[int, Mapping[str, float]]]:
        """Every phrasing's answer and features; an answer's topic is a phrasing too."""
        return [(place, features(tokens)) for place, phrasings in enumerate(self._phrasings) for tokens in phrasings]

    def _asked_words(self, phrasings: Phrasings) -> frozenset[str]:
        tokens = [token for asked in phrasings for token in asked]
        for token in tokens:
            if token.key[0] in "='" and len(token.words) == 1:
                self._vocabulary.setdefault(token.words[0], token.key)
                if bones := "" if token.words[0].isascii() else skeleton(token.words[0]):
                    self._bones.setdefault(bones, token.key)
        return frozenset(name for token in tokens for name in (token.key, token.exact) if name)

    def _said_words(self, answer: Answer) -> frozenset[str]:
        texts = [*answer.text.values(), *(text for case in answer.cases for text in case.text.values())]
        return frozenset(token.key for text in texts for token in phrasing(text, self.names))

    def fits(self, reading: Reading) -> list[Fit]:
        """How well each answer fits a message, in the order of the answers."""
        learnt, nearest = self._judges.marks(features(reading.tokens))
        return [
            Fit(place, float(learnt[place]), float(nearest[place]), self._covered(reading.tokens, place))
            for place in range(len(self.persona.answers))
        ]

    def _covered(self, tokens: Sequence[Token], place: int) -> float:
        """The weighted share of what the message asks that the answer's questions (or, for less, its text) have."""
        found = whole = 0.0
        for token in tokens:
            if token.key[0] == "~" or (token.key[0] == "@" and token.key not in self._asked[place]):
                continue
            weight = self._weight(token)
            whole += weight
            found += weight * self._known(token, place)
        return found / whole if whole else 0.0

    def _weight(self, token: Token) -> float:
        """How much it matters that an answer knows a word."""
        share = _ASKING_SHARE if token.is_asking else 1.0
        if token.key not in self._judges:
            common = all(map(table.is_common, token.words))
            share = _COMMON_SHARE if common else _FOREIGN_SHARE if token.key[0] == "=" else _UNKNOWN_SHARE
        return share * self._judges.weight(token.key)

    def _known(self, token: Token, place: int) -> float:
        asked = self._asked[place]
        if token.key in asked:
            return 1.0
        if token.exact in asked or token.key in self._hinted[place] or not asked.isdisjoint(token.also):
            return _IMPLIED
        if token.key in self._said[place]:
            return _SAID
        return _ELSEWHERE if token.key in self._judges else 0.0

    def stranger(self, reading: Reading, kind: str) -> bool:
        """Whether an unknown word stands where the questions have a thing of this kind ("a ticket to Paris")."""
        for before, token in pairwise(reading.tokens):
            if token.is_content and token.key not in self._judges and before.words[-1] in self._before[kind]:
                return True
        if not self._before[kind] & _TOWARDS:
            return False
        words = [token.words[0] for token in reading.tokens if token.key[0] == "'" and token.key not in self._judges]
        return any(word[0] == "ل" and len(word) > _FEWEST_TO_SWAP and not table.is_common(word) for word in words)

    def _words_before(self) -> Mapping[str, frozenset[str]]:
        """By kind, the words that ask for nothing and after which a thing of that kind is named."""
        found: dict[str, set[str]] = defaultdict(set)
        for tokens in chain.from_iterable(self._phrasings):
            for before, token in pairwise(tokens):
                if token.key[0] == "@" and before.key[0] == "~" and before.words[-1] not in _ARTICLES:
                    found[token.key[1:]].add(before.words[-1])
        return defaultdict(frozenset, {kind: frozenset(words) for kind, words in found.items()})

    def corrected(self, token: Token) -> Token:
        """An unknown word as the known one that it seems to be."""
        word = token.words[0]
        if token.key[0] != "'" or len(token.words) > 1 or token.key in self._judges or table.is_common(word):
            return token
        key = self._guess(word)
        return replace(token, key=key, also=table.ALSO.get(key, ())) if key else token

    def _guess(self, word: str) -> str:
        """The key of the word that this one seems to be: one with the same consonants, or one slip away."""
        bones = skeleton(word) if len(word) > _FEWEST_FOR_BONES and not word.isascii() else ""
        if bones in self._bones:
            return self._bones[bones]
        for choices in (self._vocabulary, table.EVERY_WORD):
            near = process.extractOne(word, choices.keys(), scorer=OSA.distance, score_cutoff=_slips(word))
            if near and near[0][0] == word[0] and (len(word) >= _FEWEST_TO_CORRECT or sorted(near[0]) == sorted(word)):
                return choices[near[0]]
        return ""

    def read(self, text: str, today: int = 0) -> Reading:
        reading = self._reader.read(text, today)
        return replace(reading, tokens=tuple(map(self.corrected, reading.tokens)))


def _slips(word: str) -> int:
    """How many letters may be wrong."""
    return 0 if len(word) < _FEWEST_TO_SWAP else 1 if len(word) < _TWO_SLIPS else 2


def _phrasings(answer: Answer) -> list[str]:
    return [*(text for asked in answer.questions.values() for text in asked), *answer.topic.values()]


def _hinted_words(phrasings: Phrasings) -> frozenset[str]:
    return frozenset(name for tokens in phrasings for token in tokens for name in token.also)


def _kinds(answer: Answer) -> frozenset[str]:
    """The kinds that make a difference to the answer."""
    return frozenset(kind for case in answer.cases for kind in case.when)
