"""Many threads on one card: nothing deadlocks, nothing in use leaves, and never is more taken than the card has."""

from __future__ import annotations

import queue
import random
import threading
import time
from collections.abc import Callable, Sequence

import pytest

from core.errors import LayerError
from core.kinds import Layer
from tests.simulated_card import Machine, Model, SimulatedCard, machine
from worker.engines.base import Needs

GB = 1024
JOIN_S = 20.0
SIZES = {
    8: {"asr": 3000, "llm": 4174, "video": 4096, "upscale": 1024},
    12: {"asr": 3000, "llm": 4174, "tts": 8192, "video": 4096, "upscale": 1024},
    16: {"asr": 3000, "llm": 4174, "tts": 8192, "video": 4096, "upscale": 3072},
    24: {"asr": 3000, "llm": 10748, "tts": 8192, "video": 18432, "upscale": 3072},
    48: {"asr": 6000, "llm": 21620, "tts": 8192, "video": 18432, "upscale": 3072},
}


def all_end(actions: Sequence[Callable[[], object]]) -> list[BaseException]:
    """Runs them at once; gives what they raised."""
    raised: list[BaseException] = []

    def run(action: Callable[[], object]) -> None:
        try:
            action()
        except BaseException as error:
            raised.append(error)

    threads = [threading.Thread(target=run, args=(action,), daemon=True) for action in actions]
    for thread in threads:
        thread.start()
    deadline = time.monotonic() + JOIN_S
    for thread in threads:
        thread.join(max(deadline - time.monotonic(), 0.0))
    assert not [thread for thread in threads if thread.is_alive()], "somebody waits for ever"
    return raised


@pytest.mark.parametrize("gb", [8, 16, 48])
def test_threads_that_use_whatever_they_like(gb: int) -> None:
    card = SimulatedCard(gb * GB, slow_s=0.002)
    random_sizes = random.Random(gb)
    models = [
        Model(card, layer, name, Needs(gpu_mb=takes + works), takes, works, elsewhere=layer is Layer.LLM)
        for layer in Layer
        for name in ("one", "two")
        for takes, works in [(random_sizes.randint(300, gb * 500), random_sizes.randint(0, 400))]
    ]
    box = machine(card, *models, wait_s=0.05)
    refused: list[LayerError] = []
    used: list[Model] = []

    def use(seed: int) -> None:
        chance = random.Random(seed)
        for _ in range(15):
            first, second = sorted(chance.sample(models, 2), key=models.index)
            try:
                with box.set.using(first.layer, first.name) as engine, engine.use():
                    if chance.random() < 0.3:
                        with box.set.using(second.layer, second.name) as other, other.use():
                            time.sleep(0.0005)
                    used.append(engine)
            except LayerError as error:
                refused.append(error)

    assert all_end([lambda seed=seed: use(seed) for seed in range(5)]) == []  # type: ignore[misc]
    assert card.refused == 0
    assert card.most_mb <= gb * GB
    assert not [event for event in box.events if event[0] == "unload_failed"]
    assert all(error.exhausted for error in refused)
    assert used
    box.set.unload()
    assert card.used_mb == 0


def turn(box: Machine) -> None:
    """As the pipeline uses engines: one thread hears and speaks, one thinks, one draws what was spoken."""
    said, spoken = queue.SimpleQueue[int | None](), threading.Event()

    def think() -> None:
        try:
            with box.set.using(Layer.LLM, "model") as engine, engine.use():
                for sentence in range(3):
                    time.sleep(0.001)
                    said.put(sentence)
        finally:
            said.put(None)

    def draw() -> None:
        if not box.set.along(Layer.VIDEO):
            assert spoken.wait(JOIN_S)
        with (
            box.set.using(Layer.VIDEO, "model") as engine,
            engine.use(),
            box.set.using(Layer.UPSCALE, "model") as upscaler,
            upscaler.use(),
        ):
            assert spoken.wait(JOIN_S)

    def hear_and_speak() -> None:
        try:
            while said.get() is not None:
                box.use("tts")
        finally:
            spoken.set()

    box.use("asr", "emotion")
    for error in all_end([think, draw, hear_and_speak]):
        raise error


@pytest.mark.parametrize("warm", [True, False])
@pytest.mark.parametrize("gb", SIZES)
def test_turns_of_the_sets(gb: int, warm: bool) -> None:
    """Nothing fails, whoever comes first; each load is one that the card had room for."""
    card = SimulatedCard(gb * GB, slow_s=0.01)
    models = [
        Model(card, Layer(layer), needs=Needs(gpu_mb=mb), takes=mb - 200, works=200, elsewhere=layer == "llm")
        for layer, mb in SIZES[gb].items()
    ]
    box = machine(card, *models, **{layer.value: 0 for layer in Layer if layer.value not in SIZES[gb]})
    if warm:
        box.set.warm_up(("ar", "en"))
    for _ in range(4):
        turn(box)
    assert card.refused == 0
    assert card.most_mb <= gb * GB
    assert {kind for kind, _ in box.events} <= {"engine_loaded", "engine_evicted"}
