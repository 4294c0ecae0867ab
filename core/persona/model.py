"""What a persona is: who answers, what it knows, and what a question may name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any

from pydantic import BeforeValidator, ConfigDict, StringConstraints

Word = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,47}$")]
Text = Annotated[str, StringConstraints(min_length=1, max_length=4000, pattern=r"\S")]
Language = Annotated[str, StringConstraints(pattern=r"^[a-z]{2,3}$")]

Localised = Mapping[Language, Text]
"""One text a language: {"ar": …, "en": …}."""

Fact = int | float | Text | Localised
"""What is known of an entity: a number (a price, hours), or a text, the same in all languages or one a language."""

ANY = "*"
"""In a case's `when`: whichever entity of that kind was named."""
DAY, COUNT = "day", "count"
"""Kinds that every persona knows: the days of the week (`sunday` … `saturday`), and a whole number."""
DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
"""In the order of `datetime.weekday()`."""


_STRICT = ConfigDict(extra="forbid")


def _several(value: Any) -> Any:
    """One id stands for a list of one."""
    return (value,) if isinstance(value, str) else value


Ids = Annotated[tuple[str, ...], BeforeValidator(_several)]


@dataclass(frozen=True)
class Entity:
    """Something that a question may name: a city, a product, a doctor's field.

    kind and id: words of lower-case letters. names: a tuple a language, the first is the one that is said.
    facts: what `{kind.fact}` in an answer stands for.
    """

    __pydantic_config__ = _STRICT

    kind: Word
    id: Word
    names: Mapping[Language, tuple[Text, ...]]
    facts: Mapping[Word, Fact] = field(default_factory=dict)


@dataclass(frozen=True)
class Case:
    """What an answer says where the question names certain things.

    when: by kind, the ids of which one must be named (`ANY`: any). text: one a language, with placeholders.
    """

    __pydantic_config__ = _STRICT

    when: Mapping[Word, Ids]
    text: Localised


@dataclass(frozen=True)
class Answer:
    """One thing that a persona knows.

    questions: the ways of asking, a tuple a language; `{city}` in one stands for any entity of that kind.
    text: what is said where no case fits, one a language. topic: a few words that name it in an offer ("I can tell
    you about …"), one a language. cases: the first that fits is said instead of the text.
    """

    __pydantic_config__ = _STRICT

    id: Word
    questions: Mapping[Language, tuple[Text, ...]]
    text: Localised
    topic: Localised
    cases: tuple[Case, ...] = ()


@dataclass(frozen=True)
class Persona:
    """Who the avatar is and what it knows; `role` is the system prompt of a language model.

    timezone: IANA name of the place where "today" is.
    """

    __pydantic_config__ = _STRICT

    id: str
    business: Localised
    role: Localised
    greeting: Localised
    unknown: Localised
    answers: tuple[Answer, ...] = ()
    entities: tuple[Entity, ...] = ()
    timezone: Text = "UTC"
