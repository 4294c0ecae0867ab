"""How an avatar is presented: its business, its greeting, and questions to begin with."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.api.presenting import SUGGESTIONS, avatar_object, suggestions, written
from core.catalogue import Avatar, Catalogue
from core.kinds import LANGUAGES
from core.persona import Answer, Persona
from core.settings import HOME

CATALOGUE = Catalogue(HOME)


@pytest.mark.parametrize(
    ("phrasing", "language", "expected"),
    [
        ("how do i book", "en", "How do I book?"),
        ("i am late, can i still come", "en", "I am late, can I still come?"),
        ("what is it?", "en", "What is it?"),
        ("is it in iraq", "en", "Is it in iraq?"),
        ("كم السعر", "ar", "كم السعر؟"),
        ("كم السعر؟", "ar", "كم السعر؟"),
    ],
)
def test_a_phrasing_is_written_out(phrasing: str, language: str, expected: str) -> None:
    assert written(phrasing, language) == expected


def answer(number: int, *phrasings: str) -> Answer:
    return Answer(f"a{number}", {"en": phrasings}, {"en": "yes"}, {"en": "that"})


def persona(*answers: Answer) -> Persona:
    return Persona("p", {"en": "b"}, {"en": "r"}, {"en": "g"}, {"en": "u"}, answers)


def test_what_names_something_is_passed_over() -> None:
    asked = persona(answer(1, "how far is {city}", "how far"), answer(2, "to {city}"), answer(3), answer(4, "when"))
    assert suggestions(asked, "en") == ["How far?", "When?"]
    assert suggestions(asked, "ar") == []


def test_there_are_only_a_few() -> None:
    assert suggestions(persona(*(answer(number, f"q{number}") for number in range(9))), "en") == [
        f"Q{number}?" for number in range(SUGGESTIONS)
    ]


@pytest.mark.parametrize("avatar", CATALOGUE.avatars(), ids=lambda avatar: avatar.id)
@pytest.mark.parametrize("language", LANGUAGES)
def test_everyone_shipped_is_presented(avatar: Avatar, language: str) -> None:
    told = avatar_object(avatar)
    for text in (told["business"], told["greeting"]):
        assert text[language]  # type: ignore[index]
    found = told["suggestions"][language]  # type: ignore[index]
    assert len(set(found)) == SUGGESTIONS
    assert not [question for question in found if "{" in question or len(question) > 60]


def test_a_broken_persona_costs_only_itself(tmp_path: Path) -> None:
    (tmp_path / "persona.toml").write_text("business = ")
    told = avatar_object(Avatar("x", {"en": "X"}, "layla", tmp_path))
    assert (told["name"], told["business"], told["suggestions"]) == ({"en": "X"}, {}, {})
