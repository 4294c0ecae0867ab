"""How well the engine reads sentences that nobody wrote its words for. Only rates are told, never a row."""

from __future__ import annotations

from collections import defaultdict

import pytest

from tests.heldout import rows
from worker.engines.emotion.keywords import Keywords

OVERALL, EACH_LANGUAGE = 0.85, 0.80


@pytest.fixture(scope="module")
def rates() -> dict[str, float]:
    """The share read right: `all`, by language, and by the first emotion that a row allows."""
    engine = Keywords()
    right: dict[str, list[bool]] = defaultdict(list)
    for row in rows("emotion"):
        allowed = row["emotion"].split("|")
        hit = engine.read(row["text"], language=row["language"]).emotion.value in allowed
        for group in ("all", row["language"], f"{row['language']}-{allowed[0]}", row["dialect"], allowed[0]):
            right[group].append(hit)
    return {group: sum(each) / len(each) for group, each in right.items()}


def test_rates(rates: dict[str, float]) -> None:
    low = {name: round(rates[name], 3) for name in ("ar", "en") if rates[name] < EACH_LANGUAGE}
    overall = round(rates["all"], 3)
    assert not low
    assert overall >= OVERALL
