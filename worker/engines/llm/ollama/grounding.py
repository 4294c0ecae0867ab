"""What a persona knows, as notes for a prompt: the likeliest answers first, as many as there is room for."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product

from core.persona import ANY, COUNT, DAY, WEEK, Answer, Entity, Named, Persona, in_language, text_of
from core.text import sentences
from worker.engines.llm.base import Message
from worker.engines.llm.ollama.guarding import clean
from worker.engines.llm.ollama.likeness import Likeness
from worker.engines.llm.ollama.naming import Names, by_kind

_EARLIER = (1.0, 0.4, 0.5)
"""What the last message weighs, the assistant's before it and the user's before that, in finding what is asked."""
_TAKES = 0.15
"""What an answer gains for which it makes a difference what the last message names."""
_MOST = 14
"""Answers told; in tests/data the right one is among the first twelve in 99 of 100 questions."""
_IN_FULL = 2
"""Answers of which every thing's case is told where the question names none of them."""
_MOST_CASES = 12
_BEFORE_FACTS = 5
"""Answers before the facts that none of them has told of what is named."""
_TOPICS = 24
"""How many topics of what is not told."""
_SHARES = 5
"""One part in so many of the room is for topics, and one for names; a list that is longer is left out, since it would
be taken for the whole."""


@dataclass(frozen=True)
class Notes:
    """answers: what is known, a line each, the likeliest first. names: a line for each kind of thing, with what there
    is of it. topics: what else may be asked, in a few words each."""

    answers: tuple[str, ...]
    names: tuple[str, ...]
    topics: tuple[str, ...]


class Grounding:
    """One persona, prepared."""

    def __init__(self, persona: Persona) -> None:
        self.persona = persona
        self._likeness = Likeness(persona)
        self._names = Names(persona)

    def notes(self, history: Sequence[Message], language: str, room: int, tokens: Callable[[str], int]) -> Notes:
        """In at most `room` tokens, as `tokens` counts them."""
        share = room // _SHARES  # of the topics, and of the names at most
        names = list(_fitting(self._kinds(language), share, tokens))
        named = self._named(history)
        ranked = self._ranked(history, named)
        left = room - share - sum(tokens(line) + 1 for line in names)
        told, lines = self._told(ranked[:_MOST], named, language, left, tokens)
        topics = (self._topic(place, language) for place in [place for place in ranked if place not in told][:_TOPICS])
        return Notes(tuple(lines), tuple(names), tuple(_fitting(topics, share, tokens)))

    def _told(
        self,
        ranked: Sequence[int],
        named: Sequence[Entity],
        language: str,
        room: int,
        tokens: Callable[[str], int],
    ) -> tuple[set[int], list[str]]:
        """Places of the answers for which there is room, and their lines with the facts that no line has told; of one
        that is longer than all the room, its beginning."""
        told: set[int] = set()
        lines: list[str] = []
        for rank, place in enumerate(ranked):
            line = self._line(self.persona.answers[place], named, language, in_full=rank < _IN_FULL)
            facts = self._facts(named, language, " ".join(lines)) if rank == _BEFORE_FACTS else ()
            new = [*facts, line if lines else _shortened(line, room, tokens)]
            room -= sum(tokens(each) + 1 for each in new)
            if room < 0:
                break
            lines += new
            told.add(place)
        return told, lines

    def _named(self, history: Sequence[Message]) -> Sequence[Entity]:
        """What the last message names, and of other kinds what the messages before it do; no day of before."""
        found: list[Entity] = []
        for age, message in enumerate(reversed(history[-len(_EARLIER) :])):
            kinds = {entity.kind for entity in found}
            new = self._names.in_text(message.text)
            found += [entity for entity in new if entity.kind not in kinds and (age == 0 or entity.kind != DAY)]
        return found

    def _ranked(self, history: Sequence[Message], named: Sequence[Entity]) -> list[int]:
        """Places of the answers, the likeliest first."""
        marks = [0.0] * len(self.persona.answers)
        for message, weight in zip(reversed(history), _EARLIER, strict=False):
            marks = [mark + weight * new for mark, new in zip(marks, self._likeness.marks(message.text), strict=True)]
        kinds = {entity.kind for entity in named}
        for place, answer in enumerate(self.persona.answers):
            marks[place] += _TAKES * any(kinds & case.when.keys() for case in answer.cases)
        return sorted(range(len(marks)), key=lambda place: -marks[place])

    def _line(self, answer: Answer, named: Sequence[Entity], language: str, *, in_full: bool) -> str:
        """An answer with its topic, its own text and that of the cases that may matter."""
        texts = [in_language(answer.text, language)]
        for about in list(self._abouts(answer, named, in_full))[:_MOST_CASES]:
            texts.append(text_of(answer, about, language))
        said = " ".join(dict.fromkeys(sentence for text in texts for sentence in sentences(text)))
        return _one_line(f"{in_language(answer.topic, language)}: {said}")

    def _abouts(self, answer: Answer, named: Sequence[Entity], in_full: bool) -> Iterator[Named]:
        """What a question for this answer may name: things that are named, else those that a case has by their ids, and
        in full all of a kind."""
        kinds = {entity.kind for entity in named} - {DAY}
        in_full = in_full and not any(kinds & case.when.keys() for case in answer.cases)
        for case in answer.cases:
            if COUNT in case.when:
                continue
            choices = [self._choices(kind, ids, named, in_full) for kind, ids in case.when.items()]
            for entities in product(*choices):
                yield {entity.kind: entity for entity in entities}

    def _choices(self, kind: str, ids: Sequence[str], named: Sequence[Entity], in_full: bool) -> Sequence[Entity]:
        own = [entity for entity in named if entity.kind == kind]
        if own:
            return [entity for entity in own if ANY in ids or entity.id in ids]
        every = WEEK if kind == DAY else [entity for entity in self.persona.entities if entity.kind == kind]
        if ANY in ids:
            return every if in_full and kind != DAY else ()
        return [entity for entity in every if entity.id in ids]

    def _kinds(self, language: str) -> list[str]:
        kinds = by_kind(self.persona.entities)
        return [
            _one_line(_comma(language).join(in_language(entity.names, language)[0] for entity in entities))
            for entities in kinds.values()
        ]

    def _facts(self, named: Sequence[Entity], language: str, told: str) -> Iterator[str]:
        """Of each thing that is named, the facts that no line has told."""
        for entity in named:
            values = {name: _value(fact, language) for name, fact in entity.facts.items()}
            new = [f"{name.replace('_', ' ')} {value}" for name, value in values.items() if value not in told]
            if new:
                yield _one_line(f"{in_language(entity.names, language)[0]}: {_comma(language).join(new)}")

    def _topic(self, place: int, language: str) -> str:
        return _one_line(in_language(self.persona.answers[place].topic, language))


def _fitting(lines: Iterable[str], room: int, tokens: Callable[[str], int]) -> Iterator[str]:
    """Those that fit, whole."""
    for line in lines:
        cost = tokens(line) + 1
        if cost <= room:
            room -= cost
            yield line


def _shortened(line: str, room: int, tokens: Callable[[str], int]) -> str:
    """Its first whole sentences, as many as fit."""
    kept = ""
    for sentence in sentences(line):
        longer = f"{kept} {sentence}".strip()
        if tokens(longer) + 1 > room:
            break
        kept = longer
    return kept


def _value(fact: object, language: str) -> str:
    if isinstance(fact, Mapping):
        return str(in_language(fact, language))
    return f"{fact:,}" if isinstance(fact, int | float) else str(fact)


def _comma(language: str) -> str:
    return "، " if language == "ar" else ", "


def _one_line(text: str) -> str:
    return " ".join(clean(text).split())
