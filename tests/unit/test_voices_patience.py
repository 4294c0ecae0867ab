"""How long the voices with a process of their own may be silent, beside how long others wait for them."""

from __future__ import annotations

import pytest

from core.kinds import Layer
from worker.child_process import START_S as WORKER_WAITS_S
from worker.engines.base import Place
from worker.engines.registry import make
from worker.lending import LOADING_S
from worker.voicing.surroundings import START_S


def test_a_start_that_hangs_ends_before_whoever_waits_for_it_gives_up() -> None:
    assert START_S < 0.75 * LOADING_S
    assert START_S < 0.75 * WORKER_WAITS_S


@pytest.mark.parametrize("device", ["cpu", "cuda:0"])
@pytest.mark.parametrize("name", ["cosyvoice", "voxcpm"])
def test_a_sentence_may_wait_for_a_process_that_died_to_come_back(name: str, device: str) -> None:
    first_sound_s = 60
    assert make(Layer.TTS, name, Place(device=device)).needs.patience_s >= START_S + first_sound_s
