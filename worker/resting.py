"""Engines that are left alone for a while because the last that asked them waited long, for nothing.

A process or a server that hangs costs its whole patience, and would again in every turn. So as long as another engine
stands in for it, nobody asks it; then one turn tries it anew (a circuit breaker: Nygard, "Release It!", 2007).
"""

from __future__ import annotations

import time
from collections.abc import Callable

from core.errors import LAYER_ERRORS, LayerError, SpeechFaulty
from core.kinds import Layer
from core.logging import get_logger
from worker.engines.registry import engines_of

log = get_logger(__name__)

LATE_S = 20.0
"""What fails after so many seconds without a sign had hung; what fails sooner may be asked again at once."""
REST_S = 180.0


class Resting:
    """Of one process. Every method may be called from any thread."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._until: dict[tuple[Layer, str], float] = {}

    def failed(self, layer: Layer, name: str, error: Exception, waited_s: float) -> None:
        """waited_s: since the engine gave its last sign. What it says wrongly, refuses, or lacks memory for is no
        hang; nor is what went wrong in the layer that it reads from."""
        if not isinstance(error, LayerError) or isinstance(error, SpeechFaulty) or error.permanent or error.exhausted:
            return
        if error.layer is not layer:
            return
        if waited_s < LATE_S or len(engines_of(layer, name)) == 1:
            return
        self._until[layer, name] = self._clock() + REST_S
        log.warning("engine_rests", layer=layer.value, engine=name, seconds=REST_S, waited_s=round(waited_s, 1))

    def check(self, layer: Layer, name: str) -> None:
        """Raises the layer's error, permanent, for an engine that rests."""
        left = self._until.get((layer, name), 0.0) - self._clock()
        if left > 0:
            raise LAYER_ERRORS[layer](f"{name} hung a moment ago and rests for {left:.0f} s", refused=True)
