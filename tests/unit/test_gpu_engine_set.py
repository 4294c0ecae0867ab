"""Engines on simulated cards: what is loaded, what leaves, and what is said where there is no room."""

from __future__ import annotations

import pytest

from core.errors import LLMError, VideoError
from core.kinds import Layer
from tests.simulated_card import machine

GB = 1024
SPEECH = {"asr": 3000, "llm": 10752, "tts": 4600}


def test_what_fits_together_stays() -> None:
    box = machine(24 * GB, **SPEECH)
    assert box.use("asr", "llm", "tts") == ["+asr", "+llm", "+tts"]
    assert box.use("asr", "llm", "tts") == []
    assert box.loaded == {"asr", "llm", "tts"}


def test_video_takes_the_place_of_what_came_first() -> None:
    box = machine(24 * GB, **SPEECH, video=16384)
    turns = [box.use("asr", "llm", "tts", "video") for _ in range(2)]
    assert turns == [["+asr", "+llm", "+tts", "-llm", "+video"], ["-video", "+llm", "-llm", "+video"]]


def test_no_room_is_the_layer_s_error() -> None:
    with pytest.raises(LLMError, match="needs 10,752 MiB") as caught:
        machine(8 * GB, llm=10752).use("llm")
    assert caught.value.exhausted


def test_in_use_by_a_later_layer_is_not_waited_for() -> None:
    box = machine(16 * GB, llm=10752, video=6000)
    with box.set.using(Layer.VIDEO, "model"), pytest.raises(LLMError, match="video/model"):
        box.use("llm")
    with box.set.using(Layer.LLM, "model"), pytest.raises(VideoError):
        box.use("video")
