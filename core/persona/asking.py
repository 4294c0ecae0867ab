"""The questions as they are asked: `{city}` in a phrasing stands for every city's name."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice, product

from core.persona.days import WEEK
from core.persona.model import COUNT, DAY, Answer, Persona

KIND = re.compile(r"\{([a-z][a-z0-9_]*)\}")
"""A kind of entity in a phrasing."""

_COUNTS = {
    "ar": ("اثنان", "ثلاثة", "أربعة", "خمسة", "ستة"),
    "en": ("two", "three", "four", "five", "six"),
}
_MOST_OF_A_PHRASING = 120


def spoken_questions(persona: Persona, language: str) -> tuple[str, ...]:
    """All ways of asking in a language, each once, the names filled in (of two kinds in one phrasing, the first
    `_MOST_OF_A_PHRASING` pairs); for recognisers that want to know what is likely to be said."""
    asked = (text for answer in persona.answers for text in asked_of(answer, persona, language))
    return tuple(dict.fromkeys(asked))


def asked_of(answer: Answer, persona: Persona, language: str) -> Iterator[str]:
    """The ways of asking for one answer."""
    for phrasing in answer.questions.get(language, ()):
        yield from islice(_filled_in(phrasing, persona, language), _MOST_OF_A_PHRASING)


def _filled_in(phrasing: str, persona: Persona, language: str) -> Iterator[str]:
    pieces = KIND.split(phrasing)  # text and kind in turn
    for names in product(*(names_of(kind, persona, language) for kind in pieces[1::2])):
        pieces[1::2] = names
        yield "".join(pieces)


def names_of(kind: str, persona: Persona, language: str) -> tuple[str, ...]:
    """Every name of the kind's entities, the chief ones first."""
    if kind == COUNT:
        return _COUNTS.get(language, ())
    entities = WEEK if kind == DAY else tuple(entity for entity in persona.entities if entity.kind == kind)
    names = [entity.names.get(language, ()) for entity in entities]
    chief, more = [own[:1] for own in names], [own[1:] for own in names]
    return tuple(name for own in (*chief, *more) for name in own)
