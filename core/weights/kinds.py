"""Which fetcher serves which kind of source; its module is imported when it is first asked for."""

from __future__ import annotations

import importlib

from core.weights.fetching import Fetcher, Way
from core.weights.manifest import Environment, Hub, Ollama, Release, Repository, Weights

FETCHERS: dict[type, str] = {
    Hub: "core.weights.files:FilesFetcher",
    Release: "core.weights.files:FilesFetcher",
    Ollama: "core.weights.ollama:OllamaFetcher",
    Repository: "core.weights.repository:RepositoryFetcher",
    Environment: "core.weights.environment:EnvironmentFetcher",
}
"""Each is made with (weights, way)."""


def fetcher_of(weights: Weights, way: Way) -> Fetcher:
    """A new one; nothing is read or asked yet."""
    module, _, name = FETCHERS[type(weights.source)].partition(":")
    fetcher: Fetcher = getattr(importlib.import_module(module), name)(weights, way)
    return fetcher
