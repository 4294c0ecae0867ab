"""Which engines are loaded: each once, on first use."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from core.kinds import Layer
from worker.engines import registry

Choose = Callable[[Layer, str | None], str]
"""From a layer and a language to an engine's name (Settings.engine is one)."""


class EngineSet:
    """The engines of one process. `get` may be called from several threads; each engine is used by one at a time."""

    def __init__(self, choose: Choose) -> None:
        self._choose = choose
        self._engines: dict[tuple[Layer, str], Any] = {}
        self._lock = threading.Lock()

    def name(self, layer: Layer, language: str | None = None) -> str:
        return self._choose(layer, language)

    def get(self, layer: Layer, language: str | None = None) -> Any:
        """The loaded engine for a layer and language. Raises ModelMissing, ConfigurationError, or the engine's own."""
        return self.named(layer, self._choose(layer, language))

    def named(self, layer: Layer, name: str) -> Any:
        with self._lock:
            if (layer, name) not in self._engines:
                engine = registry.make(layer, name)
                engine.load()
                self._engines[layer, name] = engine
            return self._engines[layer, name]

    def check(self, languages: tuple[str, ...]) -> None:
        """Raises for the first engine that the settings name and that is not to be had."""
        for layer in Layer:
            for language in (None, *languages):
                registry.make(layer, self._choose(layer, language))

    def unload(self) -> None:
        with self._lock:
            for engine in self._engines.values():
                engine.unload()
            self._engines.clear()
