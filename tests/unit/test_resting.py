"""Engines that hung are left alone for a while, where another stands in for them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from core.errors import Cancelled, LLMError, SpeechFaulty, TTSError
from core.kinds import Layer
from worker import resting
from worker.engines.base import Needs
from worker.gpu import EngineSet
from worker.lending import Lender
from worker.resting import LATE_S, REST_S, Resting


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.mark.parametrize(
    ("layer", "name", "error", "waited_s", "rests"),
    [
        (Layer.TTS, "voxcpm", TTSError("hung"), LATE_S + 1, True),
        (Layer.LLM, "ollama", LLMError("silent"), LATE_S + 1, True),
        (Layer.TTS, "voxcpm", TTSError("died"), LATE_S - 1, False),
        (Layer.TTS, "voxcpm", TTSError("full", exhausted=True), LATE_S + 1, False),
        (Layer.TTS, "voxcpm", TTSError("no recording", refused=True), LATE_S + 1, False),
        (Layer.TTS, "voxcpm", SpeechFaulty("runs away"), LATE_S + 1, False),
        (Layer.TTS, "voxcpm", Cancelled(), LATE_S + 1, False),
        (Layer.TTS, "espeak", TTSError("hung"), LATE_S + 1, False),
        (Layer.VIDEO, "musetalk", TTSError("hung"), LATE_S + 1, False),
    ],
    ids=["voice", "server", "soon", "memory", "refusal", "faulty", "cancelled", "nobody stands in", "of its source"],
)
def test_what_hung_rests_and_nothing_else(
    layer: Layer, name: str, error: Exception, waited_s: float, rests: bool
) -> None:
    clock = Clock()
    engines = Resting(clock)
    engines.failed(layer, name, error, waited_s)
    clock.now += REST_S - 1
    if rests:
        with pytest.raises(type(error), match=f"{name} hung a moment ago and rests for 1 s") as raised:
            engines.check(layer, name)
        assert raised.value.permanent
    clock.now += 2
    engines.check(layer, name)
    engines.check(Layer.VIDEO, name)


class Model:
    """Each call takes what it is told, then fails or answers."""

    name = "ollama"
    needs = Needs(patience_s=60)

    def __init__(self) -> None:
        self.asked = 0

    def load(self) -> None:
        """Nothing."""

    def unload(self) -> None:
        """Nothing."""

    def hang(self, seconds: float) -> Iterator[str]:
        self.asked += 1
        yield "a word"
        time.sleep(seconds)
        raise ConnectionError


def lender(model: Model) -> Callable[[], Lender]:
    """Turns of one process."""
    engines = EngineSet(lambda layer, language: "ollama", make=lambda layer, name, place: model)
    return lambda: Lender(engines, lambda kind, **data: None, lambda: None)


def by_call(turn: Lender, seconds: float, slow_s: float = 0.0) -> Any:
    return turn.call(Layer.LLM, "ollama", lambda engine: list(engine.hang(seconds)))


def by_pieces(turn: Lender, seconds: float, slow_s: float = 0.0) -> Any:
    """slow_s: what whoever hears them does between two."""
    with turn.lent(Layer.LLM, "ollama") as engine:
        for _ in turn.pieces(Layer.LLM, engine.hang(seconds), engine):
            time.sleep(slow_s)


@pytest.mark.parametrize("ask", [by_call, by_pieces])
@pytest.mark.parametrize(("seconds", "slow_s", "asked"), [(0.3, 0.0, 1), (0.0, 0.0, 2), (0.0, 0.3, 2)])
def test_the_next_turn_does_not_wait_for_it(
    monkeypatch: pytest.MonkeyPatch, ask: Callable[..., Any], seconds: float, slow_s: float, asked: int
) -> None:
    monkeypatch.setattr(resting, "LATE_S", 0.2)
    model = Model()
    turn = lender(model)
    for _ in range(2):
        with pytest.raises(LLMError):
            ask(turn(), seconds, slow_s)
    assert model.asked == asked
