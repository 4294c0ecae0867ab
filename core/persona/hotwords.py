"""The names that a recogniser should listen for."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import zip_longest

from core.kinds import DEFAULT_LANGUAGE
from core.persona.model import Entity, Persona

MOST = 40
"""A longer list makes recognisers say its words where nobody did."""


def hotwords(persona: Persona, language: str | None) -> tuple[str, ...]:
    """The name of the business and the proper names of the persona's entities as they are said in a language, each
    once; of every entity the chief one comes first. Without a language those of all its languages in turn, the
    default one first.

    Common words (`iron test`) are left out: recognisers know them. Which an entity has shows in Latin script, where
    proper names have a capital; one that has no name there counts as proper.
    """
    proper = [entity for entity in persona.entities if _is_proper(entity)]
    tags = {tag for entity in proper for tag in entity.names} | set(persona.business)
    spoken = sorted(tags, key=lambda tag: (tag != DEFAULT_LANGUAGE, tag))
    ways = [list(_names(persona, proper, each)) for each in (spoken if language is None else [language])]
    names = (name for together in zip_longest(*ways) for name in together if name)
    return tuple(dict.fromkeys(names))[:MOST]


def _names(persona: Persona, entities: Sequence[Entity], language: str) -> Iterator[str]:
    if business := persona.business.get(language):
        yield re.split("[,،]", business)[0].strip()
    own = [entity.names.get(language, ()) for entity in entities]
    for together in zip_longest(*own):
        yield from filter(None, together)


def _is_proper(entity: Entity) -> bool:
    latin = [name for names in entity.names.values() for name in names if name[0].isascii() and name[0].isalpha()]
    return not latin or latin[0][0].isupper()
