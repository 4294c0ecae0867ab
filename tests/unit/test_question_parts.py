"""Whose words the lines of a question are."""

from __future__ import annotations

import pytest

from db.parts import Parts

MESSAGES = [("m1", "كم السعر؟"), ("m2", "two\nlines 🙂"), ("m3", "x"), (None, "")]


def together(messages: list[tuple[str | None, str]]) -> Parts:
    first, *others = (Parts.of(*each) for each in messages)
    for other in others:
        first = first + other
    return first


@pytest.mark.parametrize("count", range(1, len(MESSAGES) + 1))
def test_they_are_read_back_from_the_text(count: int) -> None:
    parts = together(MESSAGES[:count])
    assert Parts.read(parts.text, parts.named) == parts


@pytest.mark.parametrize("number", range(3))
def test_a_correction_changes_one_message_alone(number: int) -> None:
    parts = together(MESSAGES)
    name, words = MESSAGES[number]
    assert name is not None
    corrected = parts.corrected(name, "other\nwords")
    assert corrected.words_of(name) == "other\nwords"
    assert corrected.corrected(name, words) == parts
    others = [each for each, _ in MESSAGES[:3] if each and each != name]
    assert [corrected.words_of(each) for each in others] == [parts.words_of(each) for each in others]
    assert Parts.read(corrected.text, corrected.named) == corrected


def test_a_message_that_is_not_among_them_has_no_words() -> None:
    assert together(MESSAGES).words_of("m9") is None
    assert Parts.read("words", []).words_of("m1") is None
