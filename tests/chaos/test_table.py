"""The tables of docs/reliability.md, and what several seeds come to."""

from __future__ import annotations

import pytest

from core.settings import HOME
from tests.chaos.run import summed
from tests.chaos.table import COLUMNS, laid_in, table

NAMES = ("turns", "lost", "recovery_max_s", "answered_median_s", "seconds", "rss_growth_mb")
SEEDS = {
    1: dict(zip(NAMES, (1000, 0, 2.4, 3.0, 150.0, 7), strict=True)),
    2: dict(zip(NAMES, (1010, 1, 2.6, 5.0, 170.0, 5), strict=True)),
}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("turns", 2010),
        ("lost", 1),
        ("recovery_max_s", 2.6),
        ("answered_median_s", 4.0),
        ("seconds_a_seed", 160.0),
        ("rss_growth_mb", 7),
    ],
)
def test_seeds_are_added_and_times_are_the_worst(name: str, value: float) -> None:
    assert summed(SEEDS)[name] == value


def test_each_seed_has_a_line_and_all_have_one() -> None:
    figures = {f"seed_{seed}_{name}": value for seed, each in SEEDS.items() for name, value in each.items()}
    lines = table({**figures, **summed(SEEDS)}).splitlines()
    assert [line.split(" | ")[0] for line in lines] == ["| seed", "| ---:", "| 1", "| 2", "| **all**"]
    assert {line.count("|") for line in lines} == {len(COLUMNS) + 2}
    assert "| 2 | 1,010 |" in lines[3]
    assert lines[4].endswith("| **4** | **160** |")


def test_the_page_has_a_place_for_both_tables() -> None:
    page = (HOME / "docs" / "reliability.md").read_text()
    laid = laid_in(page, {**summed(SEEDS), "back_after_kill_bot_s": 2.5, "times_kill_bot": 3})
    assert "taken | 3 | 2.5 |" in laid
    assert laid_in(laid, summed(SEEDS)).count("<!-- end of") == 2
