"""What a layer's work took."""

from __future__ import annotations

import time
from types import TracebackType
from typing import Any

from core.kinds import Layer


class Costs:
    """A context manager; `spent` afterwards holds what a report says of it."""

    def __init__(self, layer: Layer, engine: str) -> None:
        self._layer = layer
        self._engine = engine
        self._began = 0.0
        self._seconds = 0.0

    def __enter__(self) -> Costs:
        self._began = time.perf_counter()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._seconds += time.perf_counter() - self._began

    @property
    def spent(self) -> dict[str, Any]:
        """{"layer", "engine", "ms"}."""
        return {"layer": self._layer, "engine": self._engine, "ms": self._seconds * 1000}
