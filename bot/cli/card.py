"""What `smarttalker doctor` says of the card: whether there is one, and whether torch is built for it."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version

from bot.cli.models.engines import chosen_engines
from core.errors import ConfigurationError, ModelMissing
from core.settings import Settings
from worker.engines.registry import ENGINES, make
from worker.gpu.table import card_at_hand
from worker.place import place_of

_CPU_BUILD = "+cpu"
"""The local version of torch's builds without CUDA, as download.pytorch.org has them."""


def device_of(settings: Settings) -> str:
    """Where models would run: `cuda:0` and its like, or `cpu`."""
    card = card_at_hand(settings)
    there = _torch()
    return f"cuda:{card.index}" if card and there and not there.endswith(_CPU_BUILD) else "cpu"


def needs_torch_on_card(settings: Settings) -> bool:
    """Whether an engine that the settings name would run on a card by torch, and the card is here."""
    if card_at_hand(settings) is None:
        return False
    place = place_of(settings, "cuda:0")
    named = [(layer, name) for layer, names in chosen_engines(settings).items() for name in names]
    needs = [make(layer, name, place).needs for layer, name in named if name in ENGINES[layer]]
    return any(each.gpu_mb and "torch" in each.packages for each in needs)


def torch_for_card() -> str:
    """Its version. Told by the version's suffix, since importing torch takes seconds. Raises ModelMissing where it is
    not installed, ConfigurationError where it is built without CUDA."""
    there = _torch()
    if not there:
        raise ModelMissing("it is not installed: run `make gpu`")
    if there.endswith(_CPU_BUILD):
        raise ConfigurationError(
            f"{there} is built without CUDA, the card stays unused: remove .venv, let pip's index be one that has torch"
            " with CUDA (PyPI has), and run `make gpu`; or set SMARTTALKER_DEVICE=cpu"
        )
    return there


def _torch() -> str:
    try:
        return version("torch")
    except PackageNotFoundError:
        return ""
