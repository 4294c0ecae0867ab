"""Long texts in parts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.text.parts import shorten, split_text, units


@pytest.mark.parametrize(
    ("text", "limit", "parts"),
    [
        ("short", 10, ["short"]),
        ("short", None, ["short"]),
        ("", 10, []),
        ("One two. Three four.", 12, ["One two.", "Three four."]),
        ("para one\n\npara two", 12, ["para one", "para two"]),
        ("أهلًا بك. كيف أساعدك؟", 12, ["أهلًا بك.", "كيف أساعدك؟"]),
        ("unbroken" * 3, 10, ["unbrokenun", "brokenunbr", "oken"]),
        ("😀😀😀", 4, ["😀😀", "😀"]),
    ],
)
def test_parting(text: str, limit: int | None, parts: list[str]) -> None:
    assert split_text(text, limit) == parts


@given(st.text(max_size=300), st.integers(min_value=2, max_value=50))
def test_every_part_fits_and_no_word_is_lost(text: str, limit: int) -> None:
    parts = split_text(text, limit)
    assert all(units(part) <= limit for part in parts)
    assert "".join("".join(parts).split()) == "".join(text.split())


@pytest.mark.parametrize(("text", "limit", "short"), [("abc", 3, "abc"), ("abcd", 3, "ab…"), ("😀😀", 3, "😀…")])
def test_shortening(text: str, limit: int, short: str) -> None:
    assert shorten(text, limit) == short
