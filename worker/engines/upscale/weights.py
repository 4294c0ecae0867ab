"""Weights of the upscalers, and which of Real-ESRGAN's are here."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from core.errors import ModelMissing
from core.weights.folder import folder_of


@dataclass(frozen=True)
class Weights:
    """name: in models/manifest.toml. kind: spandrel's name of the network. gpu_mb: on a card, 1080 pixels high, work
    space included. pace_s: seconds that a second of video likely takes on a card, and on a processor of a few cores."""

    name: str
    file: str
    title: str
    kind: str
    licence: str
    gpu_mb: int
    pace_s: tuple[float, float]

    def path(self, models: Path) -> Path:
        """Raises ModelMissing."""
        return folder_of(models, self.name) / self.file

    def are_in(self, models: Path) -> bool:
        try:
            folder_of(models, self.name)
        except ModelMissing:
            return False
        return True


GENERAL = Weights(
    "realesr-general-x4v3",
    "realesr-general-x4v3.pth",
    "Real-ESRGAN general x4v3",
    "Compact",
    "BSD-3-Clause",
    1024,
    (1.0, 200.0),
)
PLUS = Weights(
    "realesrgan-x4plus",
    "RealESRGAN_x4plus.pth",
    "Real-ESRGAN x4plus",
    "ESRGAN",
    "BSD-3-Clause",
    3072,
    (6.0, 10_000.0),
)


def of_frames(models: Path) -> Weights:
    """The general network wherever it is here: it takes a tenth of the time, and is trained on film grain and coding
    too. x4plus where it is here instead; whoever wants it beside the other takes the other away. GENERAL where none is
    here, so that it is the one that is told missing."""
    return PLUS if PLUS.are_in(models) and not GENERAL.are_in(models) else GENERAL
