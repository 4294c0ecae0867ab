"""Doubles of the neural voices, and voices for them to imitate."""

from __future__ import annotations

import os
from pathlib import Path

from core.catalogue import Catalogue, Voice
from core.settings import HOME
from simulators.voices import Models, write_models
from worker.engines.base import Place

LAYLA: Voice = Catalogue(HOME).voice("layla")
"""With a recording in each language, and its words."""


def models_with_voices(folder: Path) -> Models:
    """A folder of models in which both speak."""
    return write_models(folder)


def place_of(models: Models) -> Place:
    """For `CosyVoice.at` and `VoxCPM.at`."""
    return Place(models=models.folder)


def holds_no_host(pid: int | None) -> bool:
    """Whether the process is gone."""
    if pid is None:
        return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False
