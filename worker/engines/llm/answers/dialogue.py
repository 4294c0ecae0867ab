"""What a message means after those before it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from core.persona import COUNT, DAY
from worker.engines.llm.answers import smalltalk
from worker.engines.llm.answers.clauses import asks
from worker.engines.llm.answers.clauses import clauses as clauses_of
from worker.engines.llm.answers.clauses import whole as whole_text
from worker.engines.llm.answers.context import (
    Named,
    State,
    asks_which,
    is_generic,
    only_names,
    opens,
    points_back,
    says_it,
)
from worker.engines.llm.answers.knowledge import Fit, Knowledge
from worker.engines.llm.answers.reading import Reading, Token
from worker.engines.llm.answers.smalltalk import Parted, Segment, parted

SURE = 0.46
"""The least score of an answer. It and the shares below were chosen on tests/data/answers and on the shipped personas'
phrasings, a fifth of them left out at a time."""
_SURE_BACK = 0.4
"""The least score of an answer to a message that points back."""
_PART = 0.05
"""What a clause loses against the whole message."""
_SURE_ALONE = 0.6
"""The least score of each of two answers to one message."""
_NEAR = 0.4
"""From here on an answer is offered where none is sure."""
_OWN_SHARE = 0.4
"""In a message that points back: how much itself counts beside what it makes together with the one before."""
_TAKES, _TAKES_LESS = 0.3, 0.1
"""What an answer gains that needs just what was named before."""
_KNOWN, _ALL = 0.3, 0.95
"""Of an answer to whose questions all of a message's words belong: the least learnt mark, and what all means."""
_DISTINCT, _VAGUE = 0.55, 0.35
"""Learnt marks from which on a message that points back has a topic of its own, and below which it has none."""
_NEARLY = 0.15
"""Scores apart by less say little, where a question is made of the one before and another name."""
_MOST_TOPICS = 4
_MOST_CLAUSES = 12

_CLOSING = frozenset(("thanks", "bye"))


@dataclass(frozen=True)
class Found:
    """An answer, what it is about, and how sure that is."""

    place: int
    named: Named
    score: float


@dataclass(frozen=True)
class Move:
    """What a message asks for: answers, small talk (its id), or neither; then `near` are the likeliest answers and
    `named` what it names. greetings: small talk before a question."""

    answers: tuple[Found, ...] = ()
    small: str = ""
    greetings: tuple[str, ...] = ()
    near: tuple[int, ...] = ()
    named: Named = field(default_factory=dict)
    tokens: tuple[Token, ...] = ()

    @property
    def tokens_ask(self) -> bool:
        """Whether the message asks for more than what it names."""
        return any(token.is_content or token.is_asking for token in self.tokens)


class Dialogue:
    """Follows a conversation with one persona."""

    def __init__(self, knowledge: Knowledge) -> None:
        self._known = knowledge

    def move(self, state: State, text: str, today: int, offered: Sequence[int]) -> Move:
        """What the message means. today: 0 is Monday. offered: the answers whose topics were just offered."""
        message = parted(text)
        if not message.rest:
            return self._small(state, message, text, today, offered)
        move = self._question(state, message.rest, today)
        if not move.answers and _main(message.small) in _CLOSING:
            return Move(small=_main(message.small))
        greetings = tuple(small for small in message.small if small in smalltalk.GREETINGS)
        return Move(move.answers, "", greetings, move.near, move.named, move.tokens)

    def after(self, state: State, move: Move) -> State:
        """The state when the message has been answered."""
        if not move.answers:
            return replace(state, named={**state.named, **move.named}) if move.named else state
        places = [found.place for found in reversed(move.answers)]
        topics = dict.fromkeys((*places, *state.topics))
        lasting = {kind: value for kind, value in state.named.items() if kind not in (DAY, COUNT)}
        named = {**lasting, **move.named, **move.answers[-1].named}
        recent = frozenset(kind for found in move.answers for kind in found.named) - {DAY, COUNT}
        return State(tuple(topics)[:_MOST_TOPICS], named, move.tokens, recent)

    def _small(self, state: State, message: Parted, text: str, today: int, offered: Sequence[int]) -> Move:
        small = _main(message.small)
        places = {"first": 0, "second": 1, "third": 2}
        if small in places:
            if places[small] < len(offered):
                return Move((Found(offered[places[small]], {}, 1.0),))
            return self._question(state, whole_text(text), today)
        if small and small not in smalltalk.GREETINGS:
            fit = self._best(self._known.read(text, today))
            if fit and fit.nearest > 0.95 and fit.score >= SURE:
                return Move((Found(fit.place, {}, fit.score),))
        return Move(small=small, greetings=tuple(s for s in message.small if s in smalltalk.GREETINGS))

    def _best(self, reading: Reading) -> Fit | None:
        return max(self._known.fits(reading), key=lambda fit: fit.score, default=None)

    def _question(self, state: State, segments: Sequence[Segment], today: int) -> Move:
        clauses = clauses_of(segments)
        whole = self._known.read(" ".join(word for clause in clauses for word in clause.words), today)
        if len(clauses) > 1 and not opens(whole):
            state = State(named=state.named)
        found = self._found(state, whole, whole.named)
        parts = []
        if len(clauses) > 1:
            parts = self._parts(state, clauses, whole, today)
            if both := _two(parts):
                return Move(both, named=whole.named, tokens=whole.tokens)
        least = _SURE_BACK if state.topics and points_back(whole) else SURE
        ones = (found, *(replace(part, score=part.score - _PART) for _, part in parts))
        sure = [one for one in ones if one and one.score >= least]
        best = max(sure, key=lambda one: one.score, default=None)
        if best and not self._is_stranger(whole, best):
            return Move((best,), named=whole.named, tokens=whole.tokens)
        return Move(near=self._near(whole), named=whole.named, tokens=whole.tokens)

    def _parts(
        self, state: State, clauses: Sequence[Segment], whole: Reading, today: int
    ) -> list[tuple[Segment, Found]]:
        """The clauses that are questions of their own, with their answers."""
        parts = []
        for clause in clauses[:_MOST_CLAUSES]:
            reading = self._known.read(" ".join(clause.words), today)
            if not reading.content and not reading.asking:
                continue
            found = self._found(state, reading, {**whole.named, **reading.named})
            if found and not self._is_stranger(reading, found):
                parts.append((clause, found))
        return parts

    def _found(self, state: State, reading: Reading, named: Named) -> Found | None:
        """The likeliest answer to one question."""
        if state.topics and only_names(reading):
            continued = self._continued(state, reading, named)
            if continued is not None:
                return continued
        if state.topics and not (reading.content or reading.asking or reading.mentions):
            place = state.topics[0]
            return Found(place, self._about(place, state, reading, named), SURE) if asks_which(reading) else None
        scores = self._scores(state, reading, named)
        if not scores:
            return None
        place = max(range(len(scores)), key=scores.__getitem__)
        return Found(place, self._about(place, state, reading, named), scores[place])

    def _continued(self, state: State, reading: Reading, named: Named) -> Found | None:
        """The last topic, of which the message names another thing; where that topic has nothing to do with such
        things, the last question with this thing in the other's place."""
        takes = [place for place in state.topics if self._known.takes[place] & named.keys()]
        if state.topics[0] not in takes:
            kinds = {token.key for token in reading.tokens if token.key[0] == "@"}
            rest = tuple(token for token in state.tokens if token.key not in kinds)
            mentions = tuple(token for token in reading.tokens if token.key[0] == "@")
            fits = self._known.fits(Reading(reading.words, reading.mentions, (*rest, *mentions)))
            fits = [fit for fit in fits if fit.score >= SURE and self._known.takes[fit.place] & named.keys()]
            takes = [_likeliest(fits).place, *takes] if fits else takes
        if not takes:
            return None
        wanted = {**state.named, **named}
        return Found(takes[0], {k: v for k, v in wanted.items() if k in self._known.takes[takes[0]]}, 1.0)

    def _scores(self, state: State, reading: Reading, named: Named) -> list[float]:
        """Of each answer; in a message that points back, with the message before and the things named there."""
        fits = self._known.fits(reading)
        own = [fit.score for fit in fits]
        if not state.topics or not points_back(reading):
            return own
        carried = state.recent - named.keys()
        gain = _TAKES if len(reading.content) <= 1 else _TAKES_LESS
        gains = [gain * bool(self._known.takes[place] & carried) for place in range(len(own))]
        scores = [score + gain for score, gain in zip(own, gains, strict=True)]
        best = max(range(len(scores)), key=scores.__getitem__)
        if fits[best].learnt >= _DISTINCT or _is_known_better(fits[best], fits[state.topics[0]]):
            return scores
        joined = self._known.fits(Reading(reading.words, reading.mentions, (*state.tokens, *reading.tokens)))
        scores = [
            max(score, _OWN_SHARE * score + (1 - _OWN_SHARE) * fit.score + gain)
            for score, fit, gain in zip(own, joined, gains, strict=True)
        ]
        best = max(range(len(scores)), key=scores.__getitem__)
        vague = fits[best].learnt < _VAGUE and not self._known.takes[best] & carried
        if vague and says_it(reading) and not reading.mentions:
            scores[state.topics[0]] = max(scores) + _TAKES
        return scores

    def _about(self, place: int, state: State, reading: Reading, named: Named) -> Named:
        """What the answer is about: what the message names, and what it leaves open but was named before."""
        takes = self._known.takes[place]
        about = {kind: value for kind, value in named.items() if kind in takes}
        back = points_back(reading)
        for kind, value in state.named.items():
            lasts = kind not in (DAY, COUNT) or (back and kind == DAY)
            if lasts and kind in takes and kind not in about and not is_generic(reading, kind):
                about[kind] = value
        return about

    def _is_stranger(self, reading: Reading, found: Found) -> bool:
        """Whether the question names, where a known thing would stand, something that is not known."""
        open_kinds = self._known.takes[found.place] - reading.named.keys() - {DAY, COUNT}
        return any(self._known.stranger(reading, kind) for kind in open_kinds)

    def _near(self, reading: Reading) -> tuple[int, ...]:
        fits = sorted(self._known.fits(reading), key=lambda fit: -fit.score)
        return tuple(fit.place for fit in fits[:3] if fit.score >= _NEAR)


def _main(small: Iterable[str]) -> str:
    """Of several, the one that is answered: the last that is no greeting, nor a mere `ok`."""
    ids = list(small)
    weighty = [one for one in ids if one not in smalltalk.GREETINGS and one != "ok"]
    return next(reversed(weighty or [one for one in ids if one != "ok"] or ids), "")


def _two(parts: Sequence[tuple[Segment, Found]]) -> tuple[Found, ...]:
    """Two different answers, where two clauses surely ask for them."""
    sure: dict[int, Found] = {}
    for clause, found in parts:
        if found.score >= _SURE_ALONE and asks(clause):
            sure.setdefault(found.place, found)
    return tuple(sure.values())[:2] if len(sure) > 1 else ()


def _likeliest(fits: Sequence[Fit]) -> Fit:
    """The best; of those that are nearly as good the first, since a persona lists what matters most first."""
    best = max(fit.score for fit in fits)
    return next(fit for fit in fits if fit.score >= best - _NEARLY)


def _is_known_better(fit: Fit, topic: Fit) -> bool:
    """Whether every word of a message belongs to this answer, and not to the last topic."""
    return fit.learnt >= _KNOWN and fit.covered > _ALL > topic.covered
