"""Where each engine is found; its module is imported when it is first asked for."""

from __future__ import annotations

import importlib
from typing import Any

from core.errors import ConfigurationError, ModelMissing
from core.kinds import Layer

ENGINES: dict[Layer, dict[str, str]] = {
    Layer.ASR: {"pocketsphinx": "worker.engines.asr.pocketsphinx:PocketSphinx", "fake": "worker.engines.asr.fake:Fake"},
    Layer.EMOTION: {"keywords": "worker.engines.emotion.keywords:Keywords", "fake": "worker.engines.emotion.fake:Fake"},
    Layer.LLM: {"answers": "worker.engines.llm.answers:Answers", "fake": "worker.engines.llm.fake:Fake"},
    Layer.TTS: {
        "espeak": "worker.engines.tts.espeak:Espeak",
        "fake": "worker.engines.tts.fake:Fake",
        "fake-brief": "worker.engines.tts.fake:Brief",
    },
    Layer.VIDEO: {"puppet": "worker.engines.video.puppet:Puppet", "fake": "worker.engines.video.fake:Fake"},
    Layer.UPSCALE: {"lanczos": "worker.engines.upscale.lanczos:Lanczos", "fake": "worker.engines.upscale.fake:Fake"},
}

PLANNED: dict[Layer, tuple[str, ...]] = {
    Layer.ASR: ("funasr",),
    Layer.EMOTION: ("transformers",),
    Layer.LLM: ("ollama",),
    Layer.TTS: ("cosyvoice", "voxcpm"),
    Layer.VIDEO: ("echomimic", "musetalk"),
    Layer.UPSCALE: ("realesrgan", "facerestore"),
}
"""Engines of the GPU profile that this version does not hold yet."""

FALLBACKS: dict[str, tuple[str, ...]] = {"echomimic": ("musetalk", "puppet"), "musetalk": ("puppet",)}
"""What draws the video when an engine fails, in this order; those that are not here are left out."""


def make(layer: Layer, name: str) -> Any:
    """A new engine of the layer's protocol, not loaded. Raises ModelMissing; ConfigurationError names the choices."""
    place = ENGINES[layer].get(name)
    if place is None:
        known = ", ".join(ENGINES[layer])
        if name in PLANNED[layer]:
            raise ModelMissing(
                f"the {layer} engine {name} is not in this version: set SMARTTALKER_{layer.upper()} to one of {known},"
                " or SMARTTALKER_PROFILE=cpu"
            )
        raise ConfigurationError(f"SMARTTALKER_{layer.upper()}={name}: no such engine; there are {known}")
    module, _, cls = place.partition(":")
    return getattr(importlib.import_module(module), cls)()


def video_engines(name: str) -> tuple[str, ...]:
    """The engine and those that stand in for it."""
    return (name, *(other for other in FALLBACKS.get(name, ()) if other in ENGINES[Layer.VIDEO]))
