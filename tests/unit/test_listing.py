from __future__ import annotations

import pytest

from core.text.listing import listed


@pytest.mark.parametrize(
    ("names", "language", "choice", "said"),
    [
        ([], "en", False, ""),
        (["a"], "ar", False, "a"),
        (["a", "b", "c"], "en", False, "a, b or c"),
        (["a", "b", "c"], "en", True, "a, b or c"),
        (["المواعيد", "الأسعار", "الحجز"], "ar", False, "المواعيد والأسعار والحجز"),
        (["المواعيد", "الأسعار"], "ar", True, "المواعيد أم الأسعار"),
        (["a", "b"], "fr", False, "a or b"),
    ],
)
def test_listed(names: list[str], language: str, choice: bool, said: str) -> None:
    assert listed(names, language, choice=choice) == said
