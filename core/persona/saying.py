"""What an answer says once it is known what a question names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from core.kinds import DEFAULT_LANGUAGE
from core.persona.filling import Named, filled
from core.persona.model import ANY, Answer, Case, Entity

T = TypeVar("T")


def in_language(texts: Mapping[str, T], language: str) -> T:
    """In the language, or else in the default one, or in any."""
    found = texts.get(language) or texts.get(DEFAULT_LANGUAGE)
    return found if found else next(iter(texts.values()))


def fitting(case: Case, named: Named) -> bool:
    """Whether a case is for what is named."""
    for kind, ids in case.when.items():
        value = named.get(kind)
        if value is None:
            return False
        if ANY not in ids and (value.id if isinstance(value, Entity) else str(value)) not in ids:
            return False
    return True


def text_of(answer: Answer, named: Named, language: str) -> str:
    """The text of the first case that fits and can be filled in, else the answer's own."""
    for case in answer.cases:
        if fitting(case, named):
            try:
                return filled(in_language(case.text, language), named, language)
            except ValueError:
                continue
    return in_language(answer.text, language)
