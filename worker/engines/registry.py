"""Where each engine is found; its module is imported when it is first asked for."""

from __future__ import annotations

import importlib
from importlib.util import find_spec
from typing import Any

from core.errors import ConfigurationError, ModelMissing
from core.kinds import Layer
from worker.engines.base import Engine, Place

ENGINES: dict[Layer, dict[str, str]] = {
    Layer.ASR: {
        "funasr": "worker.engines.asr.funasr:FunASR",
        "pocketsphinx": "worker.engines.asr.pocketsphinx:PocketSphinx",
        "fake": "worker.engines.asr.fake:Fake",
    },
    Layer.EMOTION: {
        "transformers": "worker.engines.emotion.transformers:Transformers",
        "keywords": "worker.engines.emotion.keywords:Keywords",
        "off": "worker.engines.emotion.off:Off",
        "fake": "worker.engines.emotion.fake:Fake",
    },
    Layer.LLM: {
        "ollama": "worker.engines.llm.ollama:Ollama",
        "answers": "worker.engines.llm.answers:Answers",
        "fake": "worker.engines.llm.fake:Fake",
    },
    Layer.TTS: {
        "cosyvoice": "worker.engines.tts.cosyvoice.engine:CosyVoice",
        "voxcpm": "worker.engines.tts.voxcpm.engine:VoxCPM",
        "espeak": "worker.engines.tts.espeak:Espeak",
        "fake": "worker.engines.tts.fake:Fake",
        "fake-brief": "worker.engines.tts.fake:Brief",
    },
    Layer.VIDEO: {
        "echomimic": "worker.engines.video.echomimic.engine:EchoMimic",
        "musetalk": "worker.engines.video.musetalk.engine:MuseTalk",
        "puppet": "worker.engines.video.puppet:Puppet",
        "fake": "worker.engines.video.fake:Fake",
    },
    Layer.UPSCALE: {
        "realesrgan": "worker.engines.upscale.realesrgan.engine:RealESRGAN",
        "facerestore": "worker.engines.upscale.facerestore.engine:FaceRestore",
        "lanczos": "worker.engines.upscale.lanczos:Lanczos",
        "fake": "worker.engines.upscale.fake:Fake",
    },
}

FALLBACKS: dict[str, tuple[str, ...]] = {
    "transformers": ("keywords",),
    "ollama": ("answers",),
    "cosyvoice": ("espeak",),
    "voxcpm": ("espeak",),
    "echomimic": ("musetalk", "puppet"),
    "musetalk": ("puppet",),
    "facerestore": ("realesrgan", "lanczos"),
    "realesrgan": ("lanczos",),
}
"""What stands in for an engine that fails for a turn, in this order; those that are not here are left out."""


def make(layer: Layer, name: str, place: Place | None = None) -> Any:
    """A new engine of the layer's protocol, not loaded; place: the usual one if none. Raises ConfigurationError, which
    names the choices."""
    found = ENGINES[layer].get(name)
    if found is None:
        known = ", ".join(ENGINES[layer])
        raise ConfigurationError(f"SMARTTALKER_{layer.upper()}={name}: no such engine; there are {known}")
    cls = _class(found)
    return cls.at(place or Place()) if hasattr(cls, "at") else cls()


def dictates(name: str) -> bool:
    """Whether the ASR engine of that name writes down whatever is said; False where there is none of that name."""
    found = ENGINES[Layer.ASR].get(name)
    return found is not None and bool(_class(found).dictates)


def _class(found: str) -> Any:
    module, _, name = found.partition(":")
    return getattr(importlib.import_module(module), name)


def engines_of(layer: Layer, name: str) -> tuple[str, ...]:
    """The engine and those that stand in for it."""
    return (name, *(other for other in FALLBACKS.get(name, ()) if other in ENGINES[layer]))


def look(layer: Layer, engine: Engine) -> str:
    """What the engine stands on, or its name. Raises ModelMissing, ConfigurationError or the engine's own."""
    lacking = [package for package in engine.needs.packages if find_spec(package) is None]
    if lacking:
        raise ModelMissing(f"the {layer} engine {engine.name} needs {', '.join(lacking)}: run `make gpu`")
    asked = getattr(engine, "look", None)
    return str(asked()) if asked else engine.name
