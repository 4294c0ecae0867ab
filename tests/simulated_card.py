"""A GPU that is only arithmetic, and engines that take memory from it as real ones do."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from core.kinds import Layer
from worker.engines.base import Needs, Place
from worker.gpu.engine_set import EngineSet


class OutOfMemoryError(RuntimeError):
    """As torch raises it."""


class SimulatedCard:
    """total_mb: MiB. others_mb: what other processes hold. slow_s: what is given back by another process becomes free
    so much later. splinters_mb: free, but in pieces that nothing fits into.

    What an engine in this process gives back stays cached, and so not free, until `tidy`.
    """

    name = "simulated"
    device = "cuda:0"

    def __init__(self, total_mb: int, *, others_mb: int = 0, slow_s: float = 0.0, splinters_mb: int = 0) -> None:
        self.total_mb = total_mb
        self.others_mb = others_mb
        self.slow_s = slow_s
        self.splinters_mb = splinters_mb
        self.refused = 0
        self.most_mb = 0
        self._held = 0
        self._elsewhere = 0
        self._cached = 0
        self._peak = 0
        self._coming_back: list[tuple[float, int]] = []
        self._lock = threading.Lock()

    @property
    def used_mb(self) -> int:
        """What our engines hold, wherever."""
        with self._lock:
            return self._held + self._elsewhere

    def take(self, mb: int, *, elsewhere: bool = False) -> None:
        """Raises OutOfMemoryError as the driver would."""
        with self._lock:
            if self._free() - self.splinters_mb < mb:
                if self._cached:  # torch empties its cache before it gives up
                    self._cached = 0
                if self._free() - self.splinters_mb < mb:
                    self.refused += 1
                    raise OutOfMemoryError(f"CUDA out of memory. Tried to allocate {mb} MiB")
            if elsewhere:
                self._elsewhere += mb
            else:
                self._held += mb
            self._peak = max(self._peak, self._held + self._cached)
            self.most_mb = max(self.most_mb, self.total_mb - self._free())

    def give(self, mb: int, *, elsewhere: bool = False) -> None:
        with self._lock:
            if not elsewhere:
                self._held -= mb
                self._cached += mb
                return
            self._elsewhere -= mb
            self._coming_back.append((time.monotonic() + self.slow_s, mb))

    def _free(self) -> int:
        now = time.monotonic()
        self._coming_back = [each for each in self._coming_back if each[0] > now]
        late = sum(mb for _, mb in self._coming_back)
        return self.total_mb - self.others_mb - self._held - self._elsewhere - self._cached - late

    def free_mb(self) -> int:
        with self._lock:
            return max(self._free(), 0)

    def held_mb(self) -> int:
        with self._lock:
            return self._held + self._cached

    def tidy(self) -> None:
        with self._lock:
            self._cached = 0

    def begin_peak(self) -> None:
        with self._lock:
            self._peak = self._held + self._cached

    def peak_mb(self) -> int:
        with self._lock:
            return self._peak


@dataclass
class Model:
    """An engine that holds `takes` MiB while loaded, and `works` more during `use`.

    elsewhere: in another process. fails: errors that the next loads raise, half-way. stuck: unload raises.
    """

    card: SimulatedCard | None
    layer: Layer
    name: str = "model"
    needs: Needs = field(default_factory=Needs)
    takes: int = 0
    works: int = 0
    elsewhere: bool = False
    load_s: float = 0.0
    fails: list[BaseException] = field(default_factory=list)
    stuck: bool = False
    loads: int = 0
    unloads: int = 0
    held: int = 0
    users: int = 0
    one: threading.Lock = field(default_factory=threading.Lock)

    def load(self) -> None:
        if self.held:
            return
        time.sleep(self.load_s)
        self.loads += 1
        if self.fails:
            self._take(self.takes // 2)
            raise self.fails.pop(0)
        self._take(self.takes)

    def _take(self, mb: int) -> None:
        if self.card is not None and mb:
            self.card.take(mb, elsewhere=self.elsewhere)
        self.held += mb

    def unload(self) -> None:
        assert self.users == 0, f"{self.layer}/{self.name} left while it was in use"
        self.unloads += 1
        if self.stuck:
            raise RuntimeError("it does not answer")
        if self.card is not None and self.held:
            self.card.give(self.held, elsewhere=self.elsewhere)
        self.held = 0

    def memory_mb(self) -> int:
        return self.held if self.elsewhere else 0

    @contextmanager
    def use(self) -> Iterator[None]:
        """By one thread at a time. Raises OutOfMemoryError where the working space is not there."""
        with self.one:
            assert self.held == self.takes, f"{self.layer}/{self.name} is used and not loaded"
            self.users += 1
            try:
                with self._working():
                    yield
            finally:
                self.users -= 1

    @contextmanager
    def _working(self) -> Iterator[None]:
        if self.card is None or not self.works:
            yield
            return
        self.card.take(self.works)
        try:
            yield
        finally:
            self.card.give(self.works)


class Machine:
    """A card, engines by layer and name, and the engine set that loads them."""

    def __init__(
        self, card: SimulatedCard | None, models: Mapping[tuple[Layer, str], Model], wait_s: float = 2.0
    ) -> None:
        self.card = card
        self.models = dict(models)
        self.events: list[tuple[str, str]] = []
        self.told: list[dict[str, Any]] = []
        self.made: Counter[tuple[Layer, str]] = Counter()
        self.set = EngineSet(
            self._choose, Place(), card, on_event=self._hear, make=self._make, wait_s=wait_s, settle_s=0.1
        )

    def _choose(self, layer: Layer, language: str | None) -> str:
        names = [name for each, name in self.models if each is layer] or [self._add(layer)]
        return next((name for name in names if language and name.endswith(f"-{language}")), names[0])

    def _add(self, layer: Layer) -> str:
        """A layer that nobody spoke of has an engine that needs nothing."""
        self.models[layer, "model"] = Model(self.card, layer)
        return "model"

    def _make(self, layer: Layer, name: str, _place: Place) -> Model:
        self.made[layer, name] += 1
        return self.models[layer, name]

    def _hear(self, kind: str, **data: Any) -> None:
        self.events.append((kind, data["layer"]))
        self.told.append({"kind": kind, **data})

    def use(self, *names: str) -> list[str]:
        """Uses engines one after another; gives what came (+) and went (-)."""
        before = len(self.events)
        for name in names:
            layer, _, own = name.partition("/")
            key = own or next(known for each, known in self.models if each == layer)
            with self.set.using(Layer(layer), key) as engine, engine.use():
                pass
        signs = {"engine_loaded": "+", "engine_evicted": "-"}
        return [signs.get(kind, "!") + layer for kind, layer in self.events[before:]]

    @property
    def loaded(self) -> set[str]:
        return {layer.value for layer, _ in self.set.loaded()}


def machine(card: SimulatedCard | int | None, *models: Model, wait_s: float = 2.0, **declared: int) -> Machine:
    """A machine with the given engines, and one for each layer=MiB that takes what it declares."""
    found = SimulatedCard(card) if isinstance(card, int) else card
    plain = [Model(found, Layer(layer), needs=Needs(gpu_mb=mb), takes=mb) for layer, mb in declared.items()]
    return Machine(found, {(each.layer, each.name): each for each in (*models, *plain)}, wait_s)
