"""The engines that settings, or a set of the manifest, choose, and what each needs of the card."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace

from core.kinds import LANGUAGES, Layer
from core.settings import BY_LANGUAGE, PROFILES, Settings
from core.weights.manifest import Manifest, Ollama, Set
from worker.engines import registry
from worker.engines.base import Place
from worker.gpu.plan import Want
from worker.place import place_of

CARD = "cuda:0"
"""Whichever it is: engines only ask whether there is one."""


@dataclass(frozen=True)
class Choice:
    """choose: from a layer and a language to an engine's name."""

    choose: Callable[[Layer, str | None], str]
    place: Place


def choice_of_settings(settings: Settings) -> Choice:
    return Choice(settings.engine, place_of(settings, CARD))


def choice_of_set(chosen: Set, settings: Settings) -> Choice:
    """A set, and of the settings what it does not say."""
    place = place_of(settings, CARD)
    place = replace(
        place,
        llm_model=chosen.llm_model or place.llm_model,
        llm_context=chosen.llm_context or place.llm_context,
    )

    def choose(layer: Layer, language: str | None) -> str:
        key = f"{layer}_{language}"
        profile = BY_LANGUAGE["gpu"].get(key) or PROFILES["gpu"][layer]
        return chosen.engines.get(key) or chosen.engines.get(layer) or profile

    return Choice(choose, place)


def wants(choice: Choice, manifest: Manifest) -> list[Want]:
    """Every engine that is chosen for a layer in any language, once; the language is told where it has its own."""
    sizes = Sizes(choice, manifest)
    found: dict[tuple[Layer, str | None], Want] = {}
    for layer in Layer:
        usual = choice.choose(layer, None)
        own = {language: choice.choose(layer, language) for language in LANGUAGES}
        if len(set(own.values())) == 1:
            found[layer, None] = sizes.want(layer, own[LANGUAGES[0]], layer.upper())
            continue
        for language, name in own.items():
            key = f"{layer}_{language}".upper() if name != usual else layer.upper()
            found[layer, language] = replace(sizes.want(layer, name, key), language=language)
    return list(found.values())


class Sizes:
    """What engines need, as they say themselves; the manifest says which of Ollama's models need less."""

    def __init__(self, choice: Choice, manifest: Manifest) -> None:
        self._choice = choice
        self._manifest = manifest

    def want(self, layer: Layer, name: str, key: str) -> Want:
        """key: the setting's name without its prefix. With what may stand in its place."""
        others = (self._alone(layer, other, key) for other in self._others(layer, name))
        return replace(self._alone(layer, name, key), instead=(*self._smaller(layer, name), *others))

    def _alone(self, layer: Layer, name: str, key: str) -> Want:
        mb, exclusive = self._needs(layer, name)
        model = self._choice.place.llm_model if name == "ollama" else ""
        return Want(layer, name, mb, f"SMARTTALKER_{key}={name}", exclusive, model)

    def _needs(self, layer: Layer, name: str) -> tuple[int, bool]:
        needs = registry.make(layer, name, self._choice.place).needs
        return needs.gpu_mb, needs.exclusive

    def _others(self, layer: Layer, name: str) -> Iterable[str]:
        """Engines that may be set in the place of one: its stand-ins, then the CPU profile's."""
        names = dict.fromkeys((*registry.FALLBACKS.get(name, ()), PROFILES["cpu"][layer]))
        return (other for other in names if other != name)

    def _smaller(self, layer: Layer, name: str) -> list[Want]:
        """Ollama's models that need less than the chosen one, the largest first."""
        if name != "ollama" or not self._choice.place.ollama_is_here:
            return []
        models: Mapping[str, int] = {
            each.source.model: each.gpu_mb
            for each in self._manifest.weights.values()
            if isinstance(each.source, Ollama) and each.layer is layer and each.terms == "open"
        }
        most = self._needs(layer, name)[0]
        smaller = sorted(((mb, model) for model, mb in models.items() if mb < most), reverse=True)
        return [Want(layer, name, mb, f"SMARTTALKER_LLM_MODEL={model}", detail=model) for mb, model in smaller]
