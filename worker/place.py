"""The machine as the settings describe it."""

from __future__ import annotations

from pathlib import Path

from core.kinds import Layer
from core.settings import Settings
from worker.engines.base import Place
from worker.engines.registry import make
from worker.grounds import Grounds


def place_of(settings: Settings, device: str = "cpu") -> Place:
    """device: what models run on, found by the process that holds the engines."""
    return Place(
        models=settings.models_dir.absolute(),
        device=device,
        ollama_url=settings.ollama_url,
        llm_model=settings.llm_model,
        llm_context=settings.llm_context,
        llm_wait_s=settings.llm_wait_s,
        cosyvoice_repo=Path(settings.cosyvoice_repo).absolute() if settings.cosyvoice_repo else None,
        echomimic=settings.echomimic,
        compile=settings.compile,
        data=settings.data_dir.absolute(),
        ground=Grounds(settings.data_dir.absolute()),
    )


def wants_card(settings: Settings) -> bool:
    """Whether any engine that the settings name would run on a card; torch is looked for only then."""
    place = place_of(settings, "cuda:0")
    return any(make(layer, name, place).needs.gpu_mb for layer in Layer for name in settings.engines(layer))
