"""A card that is shared with a server: the engine `ollama` beside engines of this process."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from core.errors import LLMError
from core.kinds import Layer
from simulators.ollama import Ollama as Server
from simulators.ollama import running
from tests.simulated_card import Model, SimulatedCard
from worker.engines import registry
from worker.engines.base import Needs, Place
from worker.gpu.engine_set import EngineSet

TOTAL_MB = 16 * 1024
MIB = 1 << 20


class SharedCard(SimulatedCard):
    """What the server's models take is taken of this card."""

    server: Server

    def free_mb(self) -> int:
        self.server.card.others_mb = self.used_mb
        return max(super().free_mb() - sum(each["size_vram"] for each in listed(self.server)) // MIB, 0)

    def take(self, mb: int, *, elsewhere: bool = False) -> None:
        assert mb <= self.free_mb(), "more is taken than the card has"
        super().take(mb, elsewhere=elsewhere)
        self.server.card.others_mb = self.used_mb


@pytest.fixture
def server() -> Iterator[Server]:
    with running(models=["qwen2.5:14b"], card_mb=TOTAL_MB, unload_s=0.15) as server:
        yield server
        assert server.oddities == []


@pytest.fixture
def engines(server: Server) -> Iterator[EngineSet]:
    card = SharedCard(TOTAL_MB)
    card.server = server
    engines = of_process(card, server)
    yield engines
    engines.unload()
    assert on_the_card(server) == []


def of_process(card: SharedCard, server: Server) -> EngineSet:
    """The engines of one process."""
    place = Place(ollama_url=server.url, llm_model="qwen2.5:14b")

    def make(layer: Layer, name: str, place: Place) -> Any:
        if layer is Layer.LLM:
            return registry.make(layer, "ollama", place)
        takes = {Layer.ASR: 3000, Layer.TTS: 3000, Layer.VIDEO: 9000}.get(layer, 0)
        return Model(card, layer, name, Needs(gpu_mb=takes), takes=takes)

    return EngineSet(lambda layer, _language: layer.value, place, card, make=make, settle_s=1.0)


def listed(server: Server) -> list[dict[str, Any]]:
    """What is loaded; nothing where the server was stopped."""
    try:
        return list(httpx.get(f"{server.url}/api/ps", trust_env=False).json()["models"])
    except httpx.ConnectError:
        return []


def on_the_card(server: Server) -> list[str]:
    return [each["model"] for each in listed(server)]


def test_the_model_leaves_and_comes_back(engines: EngineSet, server: Server) -> None:
    """It has left when the server lists it no more, which is a moment after it was asked to."""
    for _ in range(2):
        with engines.using(Layer.LLM, "llm"), engines.meter() as cost:
            assert on_the_card(server) == ["qwen2.5:14b"]
        assert 9000 < cost.gpu_mb < 12000
        with engines.using(Layer.VIDEO, "video"):
            assert on_the_card(server) == []
    assert server.card.loads == 2


def test_a_server_that_is_away_is_left_to_the_turn(engines: EngineSet, server: Server) -> None:
    with server.away():
        engines.warm_up(("ar", "en"))
        assert (Layer.LLM, "llm") not in engines.loaded()
        with pytest.raises(LLMError), engines.using(Layer.LLM, "llm"):
            raise AssertionError("it can't be loaded")
    engines.prepare("ar")
    assert on_the_card(server) == ["qwen2.5:14b"]


def test_a_server_without_memory_makes_others_leave(engines: EngineSet, server: Server) -> None:
    """It says so in its own words; then whatever is idle goes, and it is asked once more."""
    with engines.using(Layer.TTS, "tts"):
        """Loaded is all."""
    server.fail("out_of_memory", times=1)
    with engines.using(Layer.LLM, "llm"):
        assert engines.loaded() == ((Layer.LLM, "llm"),)
    assert on_the_card(server) == ["qwen2.5:14b"]


def test_a_server_that_never_has_memory(engines: EngineSet, server: Server) -> None:
    server.fail("out_of_memory", times=20)
    with pytest.raises(LLMError) as caught, engines.using(Layer.LLM, "llm"):
        raise AssertionError("it can't be loaded")
    assert caught.value.exhausted
    server.calm()


@pytest.mark.parametrize("first", [Layer.ASR, Layer.LLM, Layer.VIDEO])
def test_what_a_killed_process_left_is_taken_over(server: Server, first: Layer) -> None:
    """It is not loaded again, it counts once, and it makes way as any other."""
    card = SharedCard(TOTAL_MB)
    card.server = server
    killed = of_process(card, server)
    with killed.using(Layer.LLM, "llm"):
        """And then it was killed: it unloads nothing."""
    loads, engines = server.card.loads, of_process(card, server)
    engines.warm_up(["ar"])
    assert (Layer.LLM, "llm") in engines.loaded()
    assert server.card.loads == loads
    with engines.using(first, first.value):
        assert on_the_card(server) == ([] if first is Layer.VIDEO else ["qwen2.5:14b"])
    with engines.using(Layer.LLM, "llm"):
        """Back, where it had to leave."""
    engines.unload()
    assert on_the_card(server) == []
    killed.unload()


def test_a_server_that_hangs_does_not_wear_this_process_out(engines: EngineSet, server: Server) -> None:
    """What is not given back is the server's: a new process of ours would not help."""
    for _ in range(4):
        server.fail("500")
    with pytest.raises(LLMError), engines.using(Layer.LLM, "llm"):
        """Not loaded, and not unloaded either."""
    assert not engines.worn
    server.calm()
    with engines.using(Layer.LLM, "llm"):
        assert on_the_card(server) == ["qwen2.5:14b"]
