"""Where CosyVoice's parts lie: weights, checkout and environment."""

from __future__ import annotations

import shlex
from pathlib import Path

from core.errors import ConfigurationError, ModelMissing
from core.weights.environment import interpreter
from core.weights.folder import folder_of
from worker.engines.base import Place
from worker.engines.tts.cosyvoice.hosted import MATCHA
from worker.hosting.program import Program
from worker.voicing.surroundings import surroundings

WEIGHTS, CHECKOUT, ENVIRONMENT = "cosyvoice3", "cosyvoice-repo", "cosyvoice-env"
"""Names in models/manifest.toml; the first asks for the others."""

_SERVED = "worker.engines.tts.cosyvoice.hosted:CosyVoice3"
_CODE = "cosyvoice/cli/cosyvoice.py"
_MOST_MB = 20_000
"""The most RAM. The weights are 4 GB in whole numbers, for a moment twice, and what looks at recordings is 1 GB."""


def program(place: Place) -> Program:
    """What the host runs. Raises ModelMissing, ConfigurationError; their texts name the command that helps."""
    arguments = {
        "repo": str(checkout(place)),
        "model": str(folder_of(place.models, WEIGHTS)),
        "on_card": place.device != "cpu",
    }
    return Program(interpreter(place.models, ENVIRONMENT), _SERVED, arguments, surroundings(place.device), _MOST_MB)


def checkout(place: Place) -> Path:
    """The operator's own, else the fetched one; whole. Raises ModelMissing, ConfigurationError."""
    own = place.cosyvoice_repo
    folder = own or folder_of(place.models, CHECKOUT)
    if not (folder / _CODE).is_file():
        told = f"SMARTTALKER_COSYVOICE_REPO={own}" if own else str(folder)
        raise ConfigurationError(
            f"{told} is no checkout of CosyVoice ({_CODE} is missing): leave the setting empty and run"
            f" `smarttalker models fetch {CHECKOUT}`, or clone https://github.com/FunAudioLLM/CosyVoice"
        )
    if not (folder / MATCHA / "matcha").is_dir():
        raise ModelMissing(
            f"the checkout {folder} lacks its submodule {MATCHA}: run"
            f" `git -C {shlex.quote(str(folder))} submodule update --init`"
        )
    return folder
