"""How well the engine reads sentences that nobody wrote its words for. Only rates are told, never a row."""

from __future__ import annotations

from bench.wits.feeling import read_right
from worker.engines.emotion.keywords import Keywords


def test_rates() -> None:
    rates = read_right(Keywords())
    print(rates)
    assert rates["all"] >= 0.85
    assert min(rates["ar"], rates["en"]) >= 0.8
