"""What a message means after those before it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from core.persona import ANY, COUNT, DAY, Case, Entity
from core.text import fold
from worker.engines.llm.answers import smalltalk, table
from worker.engines.llm.answers.knowledge import Fit, Knowledge
from worker.engines.llm.answers.reading import Reading, Token
from worker.engines.llm.answers.smalltalk import TABLE, Parted, Segment, parted

Named = Mapping[str, Entity | int]

SURE = 0.49
"""The least score of an answer."""
_SURE_ALONE = 0.6
"""The least score of each of two answers to one message."""
_NEAR = 0.3
"""From here on an answer is offered where none is sure."""
_OWN_SHARE = 0.65
"""In a message that points back: how much itself counts beside what it makes together with the one before."""
_TAKES = 0.12
"""What an answer gains that needs just what was named before."""
_DISTINCT = 0.25
"""Below this learnt mark a message that says `it` brings no topic of its own."""
_MOST_TOPICS = 4
_MOST_CLAUSES = 12
_SHORT, _FEW_WORDS = 3, 5

_COUNTED = frozenset(table.meaning(fold(word)) for word in ("person", "ticket", "seat", "piece", "device"))
"""Of `three tickets` nothing but the number is new."""
_CONNECTORS = frozenset(fold(TABLE["connectors"]["words"]).split())
_ANAPHORS = frozenset(fold(TABLE["connectors"]["anaphors"]).split())
_GENERIC = frozenset(fold(TABLE["connectors"]["generic"]).split())
_OPENERS = frozenset(fold("and also then so or but و طيب طب ولو واذا وماذا وعن").split())
_ASKS_FIRST = frozenset(
    fold(
        "is are was do does did can could may should shall will would have has what when where which who why how هل شو وش ايش ليش مين"
        " متى كيف وين فين اين كم بكم بكام ممكن اقدر ينفع فيني في فيه عندكم"
    ).split()
)


@dataclass(frozen=True)
class Found:
    """An answer, what it is about, and how sure that is."""

    place: int
    named: Named
    score: float


@dataclass(frozen=True)
class State:
    """What a conversation is about. topics: places of the last answers, the latest first. named: what was named last,
    by kind. tokens: of the last question."""

    topics: tuple[int, ...] = ()
    named: Named = field(default_factory=dict)
    tokens: tuple[Token, ...] = ()


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
    stranger: bool = False

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
        greetings = tuple(small for small in message.small if small in smalltalk.GREETINGS)
        return Move(move.answers, "", greetings, move.near, move.named, move.tokens, move.stranger)

    def after(self, state: State, move: Move) -> State:
        """The state when the message has been answered."""
        if not move.answers:
            return State(state.topics, {**state.named, **move.named}, state.tokens) if move.named else state
        places = [found.place for found in reversed(move.answers)]
        topics = dict.fromkeys((*places, *state.topics))
        lasting = {kind: value for kind, value in state.named.items() if kind not in (DAY, COUNT)}
        named = {**lasting, **move.named, **move.answers[-1].named}
        return State(tuple(topics)[:_MOST_TOPICS], named, move.tokens)

    def _small(self, state: State, message: Parted, text: str, today: int, offered: Sequence[int]) -> Move:
        small = _main(message.small)
        places = {"first": 0, "second": 1, "third": 2}
        if small in places:
            if places[small] < len(offered):
                return Move((Found(offered[places[small]], {}, 1.0),))
            return self._question(state, tuple(_as_segments(text)), today)
        if small and small not in smalltalk.GREETINGS:
            fit = self._best(self._known.read(text, today))
            if fit and fit.nearest > 0.95 and fit.score >= SURE:
                return Move((Found(fit.place, {}, fit.score),))
        return Move(small=small, greetings=tuple(s for s in message.small if s in smalltalk.GREETINGS))

    def _best(self, reading: Reading) -> Fit | None:
        return max(self._known.fits(reading), key=lambda fit: fit.score, default=None)

    def _question(self, state: State, segments: Sequence[Segment], today: int) -> Move:
        clauses = _clauses(segments)
        whole = self._known.read(" ".join(word for clause in clauses for word in clause.words), today)
        found = self._found(state, whole, whole.named)
        parts = []
        if len(clauses) > 1:
            parts = self._parts(state, clauses, whole, today)
            if both := _two(parts):
                return Move(both, named=whole.named, tokens=whole.tokens)
        sure = [one for one in (found, *(part for _, part in parts)) if one and one.score >= SURE]
        best = max(sure, key=lambda one: one.score, default=None)
        if best and not self._is_stranger(whole, best):
            return Move((best,), named=whole.named, tokens=whole.tokens)
        return Move(near=self._near(whole), named=whole.named, tokens=whole.tokens, stranger=best is not None)

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
        if state.topics and _only_names(reading):
            continued = self._continued(state, reading, named)
            if continued is not None:
                return continued
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
            takes = [max(fits, key=lambda fit: fit.score).place, *takes] if fits else takes
        if not takes:
            return None
        wanted = {**state.named, **named}
        return Found(takes[0], {k: v for k, v in wanted.items() if k in self._known.takes[takes[0]]}, 1.0)

    def _scores(self, state: State, reading: Reading, named: Named) -> list[float]:
        """Of each answer; in a message that points back, with the message before and the things named there."""
        fits = self._known.fits(reading)
        own = [fit.score for fit in fits]
        if not state.topics or not _points_back(reading):
            return own
        joined = self._known.fits(Reading(reading.words, reading.mentions, (*state.tokens, *reading.tokens)))
        carried = (state.named.keys() - named.keys()) - {DAY, COUNT}
        gains = [_TAKES * bool(self._known.takes[place] & carried) for place in range(len(own))]
        scores = [
            max(score, _OWN_SHARE * score + (1 - _OWN_SHARE) * fit.score + gain)
            for score, fit, gain in zip(own, joined, gains, strict=True)
        ]
        if _says_it(reading) and not reading.mentions:
            best = max(range(len(scores)), key=scores.__getitem__)
            if fits[best].learnt < _DISTINCT and not self._known.takes[best] & carried:
                scores[state.topics[0]] = max(scores) + _TAKES
        return scores

    def _about(self, place: int, state: State, reading: Reading, named: Named) -> Named:
        """What the answer is about: what the message names, and what it leaves open but was named before."""
        takes = self._known.takes[place]
        about = {kind: value for kind, value in named.items() if kind in takes}
        back = _points_back(reading)
        for kind, value in state.named.items():
            if kind in takes and kind not in about and (kind not in (DAY, COUNT) or (back and kind == DAY)):
                if not _is_generic(reading, kind):
                    about[kind] = value
        return about

    def _is_stranger(self, reading: Reading, found: Found) -> bool:
        """Whether the question names, where a known thing would stand, something that is not known."""
        open_kinds = self._known.takes[found.place] - reading.named.keys() - {DAY, COUNT}
        return any(self._known.stranger(reading, kind) for kind in open_kinds)

    def _near(self, reading: Reading) -> tuple[int, ...]:
        fits = sorted(self._known.fits(reading), key=lambda fit: -fit.score)
        return tuple(fit.place for fit in fits[:3] if fit.score >= _NEAR)


def fitting(case: Case, named: Named) -> bool:
    """Whether a case is for what is named."""
    for kind, ids in case.when.items():
        value = named.get(kind)
        if value is None:
            return False
        if ANY not in ids and (value.id if isinstance(value, Entity) else str(value)) not in ids:
            return False
    return True


def _main(small: Iterable[str]) -> str:
    """Of several, the one that is answered: the last that is no greeting, nor a mere `ok`."""
    ids = list(small)
    weighty = [one for one in ids if one not in smalltalk.GREETINGS and one != "ok"]
    return next(reversed(weighty or [one for one in ids if one != "ok"] or ids), "")


def _as_segments(text: str) -> list[Segment]:
    return [Segment(tuple(fold(text).split()), "?" in text or "؟" in text)]


def _clauses(segments: Sequence[Segment]) -> list[Segment]:
    """The segments, parted before `and` with a question word."""
    return [clause for segment in segments for clause in _parted_at_and(segment)]


def _parted_at_and(segment: Segment) -> list[Segment]:
    starts = [0]
    words = segment.words
    for place in range(1, len(words) - 1):
        if (words[place] in ("and", "و") and words[place + 1] in _ASKS_FIRST) or (words[place][0] == "و" and words[place][1:] in _ASKS_FIRST and words[place] not in _ASKS_FIRST):
            starts.append(place)
    return [
        Segment(words[start:end], segment.asks) for start, end in zip(starts, [*starts[1:], len(words)], strict=True)
    ]


def _asks(segment: Segment) -> bool:
    words = [word for word in segment.words if word not in ("and", "و", "also", "then", "طيب")]
    first = words[0] if words else ""
    return segment.asks or first in _ASKS_FIRST or first.removeprefix("و") in _ASKS_FIRST


def _two(parts: Sequence[tuple[Segment, Found]]) -> tuple[Found, ...]:
    """Two different answers, where two clauses surely ask for them."""
    sure: dict[int, Found] = {}
    for clause, found in parts:
        if found.score >= _SURE_ALONE and _asks(clause):
            sure.setdefault(found.place, found)
    return tuple(sure.values())[:2] if len(sure) > 1 else ()


def _only_names(reading: Reading) -> bool:
    """`and on Friday?`, `وللدمام؟`, `two please`: names, and words that bind."""
    counted = _COUNTED if COUNT in reading.named else frozenset()
    if not reading.mentions or reading.asking or any(token.key not in counted for token in reading.content):
        return False
    return all(token.words[0] in _CONNECTORS for token in reading.tokens if token.key[0] == "~")


def _points_back(reading: Reading) -> bool:
    """Whether the message needs the one before: it says `it`, begins with `and`, or is but a question word."""
    words, said = reading.words, len(reading.content)
    if not words:
        return False
    if said <= _SHORT and (words[0] in _OPENERS or any(word in _ANAPHORS for word in words)):
        return True
    if words[0][0] == "و" and len(words[0]) > 2 and len(words) <= _FEW_WORDS and words[0][1:] not in ("ين", "قت"):
        return True
    return said == 0 or (said == 1 and len(words) <= _SHORT)


def _says_it(reading: Reading) -> bool:
    return len(reading.content) <= _SHORT and any(word in _ANAPHORS for word in reading.words)


def _is_generic(reading: Reading, kind: str) -> bool:
    """Whether the message asks for all of a kind, or for others: nothing is carried over into it."""
    word = table.meaning(fold(kind))
    return any(each in _GENERIC for each in reading.words) or any(token.key == word for token in reading.tokens if word)
