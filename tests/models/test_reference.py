"""Ours against what the repositories computed once with the same random weights; `python -m tests.reference --store`
wrote it."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

import numpy as np
import pytest

from tests.reference.__main__ import SIDES, STORED
from tests.reference.differences import Difference, differences, stored, table, thinned

pytestmark = pytest.mark.models


@pytest.mark.parametrize("side", SIDES)
def test_our_networks_compute_what_the_repositories_do(side: str, tmp_path: Path) -> None:
    module = import_module(f"tests.reference.{side}")
    module.build(tmp_path)
    rows = differences(thinned(module.ours(tmp_path)), stored(STORED / f"{side}.npz"), module.LIMITS)
    assert all(row.within for row in rows), f"\n{table(side, rows)}"


def test_what_is_kept_is_small() -> None:
    assert sum(path.stat().st_size for path in STORED.iterdir()) < 300_000


def test_a_difference_beyond_its_limit_is_told() -> None:
    ours = {"a": np.float32([1, 2]), "b": np.uint8([7]), "c": np.array([3])}
    rows = differences(ours, {"a": np.float32([1, 2.001]), "b": np.uint8([8]), "c": np.array([4])})
    assert [row.within for row in rows] == [False, True, False]
    assert rows[0] == Difference("a", 2, pytest.approx(2.001), pytest.approx(1e-3, rel=1e-3), 1e-4)
    assert "| a | 2 | 2 | **1.0e-03** (missed) | 0.0001 |" in table("side", rows)
