"""The engines that the settings choose: what they need, and why one can't be used."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from core.errors import SmartTalkerError
from core.kinds import Layer
from core.settings import Settings
from core.weights.manifest import Manifest, Ollama, Weights
from worker.engines.registry import engines_of, look, make
from worker.place import place_of

T = TypeVar("T")


@dataclass(frozen=True)
class Needed:
    """weights: of all chosen engines and those that stand in for them, what is needed first. reasons: why other
    engines' are not known."""

    weights: list[Weights]
    reasons: list[str]


def stand_ins(layer: Layer, chosen: Sequence[str]) -> list[str]:
    """The engines that stand in for chosen ones, each once, without those that are chosen themselves."""
    others = (other for name in chosen for other in engines_of(layer, name)[1:])
    return [name for name in dict.fromkeys(others) if name not in chosen]


def chosen_engines(settings: Settings) -> dict[Layer, list[str]]:
    """The engines that the settings name for each layer, in any language, without repeats."""
    return {layer: settings.engines(layer) for layer in Layer}


@dataclass(frozen=True)
class Seen:
    """found: what an engine stands on (`qwen2.5:14b on Ollama 0.12.3`); reason: why it can't be used, None if it can:
    its packages, weights or server are not there."""

    found: str | None
    reason: str | None


def seen(layer: Layer, name: str, settings: Settings, device: str = "cpu") -> Seen:
    """Looked at now, without loading it. device: where models would run."""
    tried = _tried(layer, name, lambda: look(layer, make(layer, name, place_of(settings, device))))
    return Seen(tried.found, tried.reason)


def missing(layer: Layer, name: str, settings: Settings) -> str | None:
    """Why an engine can't be used. None if it can."""
    return seen(layer, name, settings).reason


def needed_by(settings: Settings, manifest: Manifest) -> Needed:
    """Of the chosen engines and their stand-ins. Raises NotFound where one needs what the manifest does not name."""
    names: dict[str, None] = {}
    reasons = []
    for layer, engines in chosen_engines(settings).items():
        for engine in (*engines, *stand_ins(layer, engines)):
            tried = _tried(layer, engine, lambda: make(layer, engine, place_of(settings)).needs.weights)  # noqa: B023
            names |= dict.fromkeys(tried.found or ())
            reasons += [tried.reason] if tried.reason else []
            if engine == "ollama":
                found, reason = _ollama(settings.llm_model, manifest)
                names |= dict.fromkeys(found)
                reasons += reason
    return Needed(manifest.with_needs(names), reasons)


@dataclass(frozen=True)
class _Tried(Generic[T]):
    """What was found, or why nothing."""

    found: T | None = None
    reason: str | None = None


def _tried(layer: Layer, name: str, action: Callable[[], T]) -> _Tried[T]:
    try:
        return _Tried(action())
    except SmartTalkerError as error:
        return _Tried(reason=str(error))
    except Exception as error:  # a broken package must not hide what the other engines say
        return _Tried(reason=f"the {layer} engine {name} can't be made: {type(error).__name__}: {error}")


def _ollama(model: str, manifest: Manifest) -> tuple[list[str], list[str]]:
    """Names of entries, and why there is none."""
    named = [
        weights.name
        for weights in manifest.weights.values()
        if isinstance(weights.source, Ollama) and weights.source.model == model
    ]
    return named[:1], [] if named else [f"{model} is not in the manifest: fetch it with `ollama pull {model}`"]
