"""What a layer's work took, as it is reported."""

from __future__ import annotations

from contextlib import ExitStack
from types import TracebackType
from typing import Any

from core.kinds import Layer
from worker.gpu import EngineSet
from worker.gpu.cost import Cost


class Costs:
    """A context manager around one engine's work; `spent` is known when the block has ended, however it did."""

    def __init__(self, engines: EngineSet, layer: Layer, engine: str) -> None:
        self._engines = engines
        self._layer = layer
        self._engine = engine
        self._measured = ExitStack()
        self._cost = Cost()

    def __enter__(self) -> Costs:
        self._cost = self._measured.enter_context(self._engines.meter())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._measured.close()

    @property
    def spent(self) -> dict[str, Any]:
        """{"layer", "engine", "ms", "gpu_mb", "ram_mb"}."""
        return self.shared(self._cost.seconds)

    def shared(self, seconds: float) -> dict[str, Any]:
        """The same where only so much of the time was the engine's own."""
        memory = {"gpu_mb": self._cost.gpu_mb, "ram_mb": self._cost.ram_mb}
        return {"layer": self._layer, "engine": self._engine, "ms": seconds * 1000, **memory}
