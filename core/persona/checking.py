"""Whether a persona makes sense: what the form of its file alone can't tell."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from core.kinds import LANGUAGES
from core.persona.asking import KIND
from core.persona.days import WEEK
from core.persona.filling import Named, filled, placeholders
from core.persona.model import ANY, COUNT, DAY, Answer, Case, Entity, Persona
from core.text import fold

Place = tuple[str | int, ...]

LONGEST_TEXT = 420
"""Characters that take about half a minute to say."""
_FEWEST_PHRASINGS = 3
_MARKUP = re.compile(r"^\s*[-*•#]|\*\*|`|https?://|\n\s*\n", re.MULTILINE)


@dataclass(frozen=True)
class Problem:
    """place: keys and places in arrays. quoted: what stands on the very line, empty for the place's own.
    wrong: the file can't be used like this; else it is only doubtful."""

    place: Place
    text: str
    quoted: str = ""
    wrong: bool = True


def problems_of(persona: Persona) -> list[Problem]:
    """Wrong and doubtful things, in the order of the file's parts; questions are compared by `same_questions`."""
    return [
        *_timezone(persona),
        *_entities(persona),
        *_twice([answer.id for answer in persona.answers], "answers", "id"),
        *(problem for place, answer in enumerate(persona.answers) for problem in _answer(place, answer, persona)),
        *(() if persona.answers else (_doubt(("answers",), "no answers: nothing can be asked"),)),
    ]


def _doubt(place: Place, text: str, quoted: str = "") -> Problem:
    return Problem(place, text, quoted, wrong=False)


def _timezone(persona: Persona) -> Iterator[Problem]:
    try:
        ZoneInfo(persona.timezone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        yield Problem(("timezone",), f"{persona.timezone} is no time zone: write it like Asia/Riyadh")


def _entities(persona: Persona) -> Iterator[Problem]:
    for place, entity in enumerate(persona.entities):
        where: Place = ("entities", place)
        if entity.kind in (DAY, COUNT):
            yield Problem((*where, "kind"), f"the kind {entity.kind} is known already: choose another name")
        yield from _languages((*where, "names"), entity.names)
    yield from _twice([f"{entity.kind} {entity.id}" for entity in persona.entities], "entities", "id")


def _twice(ids: Sequence[str], table: str, key: str) -> Iterator[Problem]:
    counts = Counter(ids)
    for place, name in enumerate(ids):
        if counts[name] > 1 and name in ids[:place]:
            yield Problem((table, place, key), f"{name} stands twice: give each an id of its own")


def _answer(place: int, answer: Answer, persona: Persona) -> Iterator[Problem]:
    where: Place = ("answers", place)
    for part in ("questions", "text", "topic"):
        yield from _languages((*where, part), getattr(answer, part))
    yield from _phrasings((*where, "questions"), answer, persona)
    for language, text in answer.text.items():
        yield from _spoken((*where, "text", language), text)
        yield from _nothing_named((*where, "text", language), text)
    for number, case in enumerate(answer.cases):
        yield from _case((*where, "cases", number), case, persona)
        yield from _never_reached((*where, "cases", number), answer.cases[:number], case)


def _languages(place: Place, texts: Mapping[str, object]) -> Iterator[Problem]:
    missing = [language for language in LANGUAGES if not texts.get(language)]
    if missing:
        yield _doubt(place, f"nothing in {' and '.join(missing)}: who asks in that language gets the other one")


def _phrasings(place: Place, answer: Answer, persona: Persona) -> Iterator[Problem]:
    kinds = _kinds(persona)
    for language, asked in answer.questions.items():
        if 0 < len(asked) < _FEWEST_PHRASINGS:
            yield _doubt((*place, language), f"only {len(asked)} ways of asking: with six or more it is found better")
        for text in asked:
            unknown = sorted(set(KIND.findall(text)) - kinds)
            if unknown:
                yield Problem((*place, language), f"{{{unknown[0]}}} is no kind of entity: {_one_of(kinds)}", text)
            elif re.search(r"[{}]", KIND.sub("", text)):
                yield Problem((*place, language), "a question holds {kind} and no other braces", text)


def _spoken(place: Place, text: str) -> Iterator[Problem]:
    if len(text) > LONGEST_TEXT:
        yield _doubt(place, f"{len(text)} characters: what is spoken aloud should stay under {LONGEST_TEXT}")
    if _MARKUP.search(text):
        yield _doubt(place, "lists, markup and links can't be spoken: write sentences")


def _nothing_named(place: Place, text: str) -> Iterator[Problem]:
    try:
        if placeholders(text):
            yield Problem(place, "a placeholder needs a case whose `when` names its kind")
    except ValueError as error:
        yield Problem(place, str(error))


def _case(place: Place, case: Case, persona: Persona) -> Iterator[Problem]:
    yield from _languages((*place, "text"), case.text)
    for text in case.text.values():
        yield from _spoken((*place, "text"), text)
    known = {kind: _of_kind(kind, persona) for kind in case.when if kind != COUNT}
    if strangers := _strangers(case, known, persona):
        yield Problem((*place, "when"), strangers)
        return
    for language, text in case.text.items():
        yield from _unfillable((*place, "text"), text, language, case, known)


def _strangers(case: Case, known: Mapping[str, Sequence[Entity]], persona: Persona) -> str:
    """What the case asks for and nobody knows, in a sentence; empty for nothing."""
    for kind, entities in known.items():
        if not entities:
            return f"{kind} is no kind of entity: {_one_of(_kinds(persona))}"
        if unknown := set(case.when[kind]) - {ANY} - {entity.id for entity in entities}:
            return f"there is no {kind} {min(unknown)}: {_one_of(entity.id for entity in entities)}"
    return ""


def _of_kind(kind: str, persona: Persona) -> tuple[Entity, ...]:
    return WEEK if kind == DAY else tuple(entity for entity in persona.entities if entity.kind == kind)


def _kinds(persona: Persona) -> set[str]:
    return {DAY, COUNT, *(entity.kind for entity in persona.entities)}


def _one_of(names: Iterable[str]) -> str:
    return f"there are {', '.join(sorted(names))}"


def _unfillable(
    place: Place, text: str, language: str, case: Case, known: Mapping[str, Sequence[Entity]]
) -> Iterator[Problem]:
    """The text with each entity that the case takes: all that it may say can be said."""
    for named in _namings(case, known):
        try:
            filled(text, named, language)
        except ValueError as error:
            yield Problem(place, str(error))
            return


def _namings(case: Case, known: Mapping[str, Sequence[Entity]]) -> Iterator[Named]:
    """Each entity once, the first one of the other kinds beside it."""
    taken = {
        kind: [entity for entity in known[kind] if ANY in ids or entity.id in ids]
        for kind, ids in case.when.items()
        if kind != COUNT
    }
    first: dict[str, Entity | int] = {kind: entities[0] for kind, entities in taken.items() if entities}
    if COUNT in case.when:
        first[COUNT] = 2
    yield first
    for kind, entities in taken.items():
        for entity in entities:
            yield {**first, kind: entity}


def _never_reached(place: Place, earlier: Sequence[Case], case: Case) -> Iterator[Problem]:
    for other in earlier:
        if all(kind in case.when and _covers(ids, case.when[kind]) for kind, ids in other.when.items()):
            yield _doubt((*place, "when"), "an earlier case always fits first: put the more exact one before it")
            return


def _covers(ids: Sequence[str], others: Sequence[str]) -> bool:
    return ANY in ids or set(others) <= set(ids)


def same_questions(persona: Persona) -> Iterator[Problem]:
    """Phrasings that stand under two answers, however they are spelt; takes as long as all the rest."""
    first: dict[str, str] = {}
    for place, answer in enumerate(persona.answers):
        for language, asked in answer.questions.items():
            for text in asked:
                owner = first.setdefault(fold(text), answer.id)
                if owner != answer.id:
                    where: Place = ("answers", place, "questions", language)
                    yield _doubt(where, f"«{text}» is a question of {owner} too: only one can answer", text)
