"""Which network draws faces again."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from core.errors import ModelMissing
from core.weights.folder import folder_of


@dataclass(frozen=True)
class Weights:
    """name: in models/manifest.toml. kind: spandrel's name of the network. pace_s: seconds that a second of video
    likely takes on a card, and on a processor of a few cores."""

    name: str
    file: str
    title: str
    kind: str
    licence: str
    pace_s: tuple[float, float]

    def path(self, models: Path) -> Path:
        """Raises ModelMissing."""
        return folder_of(models, self.name) / self.file


GFPGAN = Weights("gfpgan", "GFPGANv1.4.pth", "GFPGAN 1.4", "GFPGAN", "Apache-2.0", (2.0, 90.0))
CODEFORMER = Weights("codeformer", "codeformer.pth", "CodeFormer", "CodeFormer", "LicenseRef-S-Lab-1.0", (3.0, 320.0))


def of_faces(models: Path) -> Weights:
    """CodeFormer where its weights are here: its licence forbids commercial use, and they are fetched only by someone
    who accepts that. Else GFPGAN, here or not."""
    try:
        folder_of(models, CODEFORMER.name)
    except ModelMissing:
        return GFPGAN
    return CODEFORMER
