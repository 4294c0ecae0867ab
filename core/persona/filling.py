"""An answer's placeholders: `{city}`, `{city.price|SAR}`, `{count*city.price|SAR}`."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TypeVar

from core.persona.model import Entity
from core.text.counting import UNITS, counted

T = TypeVar("T")

Named = Mapping[str, Entity | int]
"""What a question names, by kind; `count` is a number."""

_PLACEHOLDER = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|[{}]")
_TERM = re.compile(r"[a-z][a-z0-9_]*(?:\.[a-z][a-z0-9_]*)?|[0-9]+(?:\.[0-9]+)?")


@dataclass(frozen=True)
class Placeholder:
    """terms: `kind`, `kind.fact` or a number; more than one are multiplied. unit: a currency's code or a noun that
    `core.text.counted` knows, empty for none."""

    terms: tuple[str, ...]
    unit: str

    @property
    def names(self) -> Iterator[tuple[str, str]]:
        """(kind, fact) of each term that is no number; fact is empty for the thing itself."""
        for term in self.terms:
            kind, _, fact = term.partition(".")
            if not kind[0].isdigit():
                yield kind, fact


def placeholders(text: str) -> list[Placeholder]:
    """All that the text holds. Raises ValueError for a brace that opens or closes none."""
    found: list[Placeholder] = []

    def keep(placeholder: Placeholder, _: str) -> str:
        found.append(placeholder)
        return ""

    _replaced(text, keep)
    return found


def filled(text: str, named: Named, language: str) -> str:
    """The text as it is said in `ar` or `en`. Raises ValueError where something is missing or no number."""
    return _replaced(text, lambda placeholder, before: _value(placeholder, before, named, language))


def _replaced(text: str, value: Callable[[Placeholder, str], str]) -> str:
    """value: of a placeholder and what stands before it."""

    def put(match: re.Match[str]) -> str:
        if match[0] in ("{{", "}}"):
            return match[0][0]
        if match[1] is None:
            raise ValueError(f"a lone {match[0]}: write {match[0] * 2} for a brace")
        return value(_parsed(match[1]), text[: match.start()])

    return _PLACEHOLDER.sub(put, text)


def _parsed(inside: str) -> Placeholder:
    product, bar, unit = inside.partition("|")
    terms = tuple(term.strip() for term in product.split("*"))
    if not all(map(_TERM.fullmatch, terms)) or (bar and not unit.strip()):
        raise ValueError(f"{{{inside}}} is no placeholder: write {{kind}}, {{kind.fact}} or {{count*kind.fact|SAR}}")
    if unit.strip() not in {"", *UNITS}:
        raise ValueError(f"{{{inside}}}: there is no unit {unit.strip()}; there are {', '.join(UNITS)}")
    return Placeholder(terms, unit.strip())


def _value(placeholder: Placeholder, before: str, named: Named, language: str) -> str:
    values = [_term(term, named, language) for term in placeholder.terms]
    if len(values) == 1 and not placeholder.unit and isinstance(values[0], str):
        return values[0]
    product = math.prod(_number(value, term) for value, term in zip(values, placeholder.terms, strict=True))
    return counted(product, placeholder.unit, language, before) if placeholder.unit else f"{product:,}"


def _term(term: str, named: Named, language: str) -> int | float | str:
    if term[0].isdigit():
        return float(term) if "." in term else int(term)
    kind, _, fact = term.partition(".")
    if kind not in named:
        raise ValueError(f"{{{term}}}: the question names no {kind}")
    entity = named[kind]
    if isinstance(entity, int):
        return entity
    if not fact:
        return _in(entity.names, language)[0]
    if fact not in entity.facts:
        raise ValueError(f"{{{term}}}: {entity.id} has no fact {fact}")
    value = entity.facts[fact]
    return _in(value, language) if isinstance(value, Mapping) else value


def _in(texts: Mapping[str, T], language: str) -> T:
    return texts[language] if language in texts else next(iter(texts.values()))


def _number(value: int | float | str, term: str) -> int | float:
    if isinstance(value, str):
        raise ValueError(f"{{{term}}} is no number")
    return value
