"""Which of a persona's things a text names."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from core.persona import DAY, WEEK, Entity, Persona
from core.text import fold

_BEFORE = r"(?<!\w)(?:[وف]?(?:ع|ها|[بلك])?)"
"""What is written together with a name in Arabic: `وبالرياض`, `عالدمام`, `هالخميس`."""


class Names:
    """The names of a persona's entities and of the days, ready to be found."""

    def __init__(self, persona: Persona) -> None:
        self._patterns = [(entity, _pattern(entity)) for entity in (*persona.entities, *WEEK)]

    def in_text(self, text: str) -> list[Entity]:
        """What the text names: days, then the rest in the persona's order; of two names of which one is within the
        other (`طب الأسنان`, `أسنان`) each counts, since both are of one thing."""
        folded = fold(text)
        found = [entity for entity, pattern in self._patterns if pattern.search(folded)]
        return sorted(found, key=lambda entity: entity.kind != DAY)


def by_kind(entities: Iterable[Entity]) -> Mapping[str, Sequence[Entity]]:
    """The entities, each kind's in their order."""
    kinds: dict[str, list[Entity]] = {}
    for entity in entities:
        kinds.setdefault(entity.kind, []).append(entity)
    return kinds


def _pattern(entity: Entity) -> re.Pattern[str]:
    names = sorted({fold(name) for names in entity.names.values() for name in names} - {""}, key=len, reverse=True)
    return re.compile(_BEFORE + f"(?:{'|'.join(map(_spelled, names)) or '(?!)'})" + r"(?!\w)")


def _spelled(name: str) -> str:
    """A name with its article merged into the preposition too (`للرياض`), or left out."""
    if name.startswith("ال") and len(name) > 4:
        return f"(?:ا?ل)?ل?{re.escape(name[2:])}"
    return re.escape(name)
