"""The tables of docs/models.md."""

from __future__ import annotations

from scripts.models_page import PAGE, page


def test_the_page_of_models_is_true() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert text == page(text), "python -m scripts.models_page writes it anew"
