"""`smarttalker bench pictures`: what it measures without a checkout, on short clips."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench import painting, pictures
from bench.upstream.checkout import VARIABLES
from core.errors import SurroundingsError

pytestmark = pytest.mark.models


@pytest.fixture(autouse=True)
def no_checkout(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in VARIABLES.values():
        monkeypatch.delenv(variable, raising=False)


def test_a_clip_of_ours_and_what_it_held(tmp_path: Path) -> None:
    from bench.models.echomimic import build_all

    told = painting.main("ours", build_all(tmp_path), 0.25)
    assert 100 < told["before_mib"] <= told["peak_mib"]


def test_without_a_checkout_there_is_no_ratio(tmp_path: Path) -> None:
    with pytest.raises(SurroundingsError, match="set SMARTTALKER_TEST_ECHOMIMIC"):
        painting.Original(tmp_path)


def test_faces_are_put_into_a_film_and_ways_are_chosen(tmp_path: Path) -> None:
    assert pictures._blending()["musetalk_blending_fps"] > 0
    assert 0 < pictures._choice(tmp_path)["choice_ms"] < 1000
