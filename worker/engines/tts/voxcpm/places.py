"""Where VoxCPM2 and its environment lie, and how its process is started."""

from __future__ import annotations

import os
from pathlib import Path

from core.weights.environment import interpreter
from core.weights.folder import folder_of
from worker.engines.base import Place
from worker.hosting.program import Program
from worker.voicing.surroundings import surroundings

WEIGHTS, ENVIRONMENT = "voxcpm2", "voxcpm-env"
"""Names in models/manifest.toml."""
SERVED = "worker.engines.tts.voxcpm.hosted:VoxCPM2"
_ON_CARD_MB, _ON_CPU_MB = 20_000, 30_000
"""The most RAM: while it is loaded, the weights in halves, or in whole numbers, and once more as the file has them."""


def program(place: Place, stays: bool | None = None) -> Program:
    """stays: see hosted.VoxCPM2. Raises ModelMissing, whose text says what to fetch."""
    on_card = place.device != "cpu"
    return Program(
        interpreter(place.models, ENVIRONMENT),
        SERVED,
        {
            "folder": str(folder_of(place.models, WEIGHTS)),
            "device": "cuda" if on_card else "cpu",
            "stays": stays,
        },
        surroundings(place.device) | kernels(),
        _ON_CARD_MB if on_card else _ON_CPU_MB,
    )


def kernels() -> dict[str, str]:
    """Where compiled code is kept from start to start: in the user's own cache, since what lies in a folder of /tmp,
    torch's usual place, may be another user's. Without a home torch has its way."""
    home = os.environ.get("XDG_CACHE_HOME") or (f"{os.environ['HOME']}/.cache" if os.environ.get("HOME") else "")
    if not Path(home).is_absolute():
        return {}
    names = {"TORCHINDUCTOR_CACHE_DIR": "inductor", "TRITON_CACHE_DIR": "triton"}
    return {name: f"{home}/smarttalker/{folder}" for name, folder in names.items() if name not in os.environ}
