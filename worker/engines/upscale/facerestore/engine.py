"""The engine `facerestore`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import ClassVar, Self

from core.errors import UpscaleError
from core.weights.folder import folder_of
from worker.engines.base import Needs, Place
from worker.engines.video.base import Frame

_GPU_MB = 2048


class FaceRestore:
    """GFPGAN, or CodeFormer where its licence was accepted: the face drawn again, finer."""

    name: ClassVar[str] = "facerestore"

    def __init__(self, place: Place) -> None:
        self._place = place

    @classmethod
    def at(cls, place: Place) -> Self:
        return cls(place)

    @property
    def needs(self) -> Needs:
        return Needs(
            gpu_mb=_GPU_MB if self._place.device != "cpu" else 0,
            weights=("gfpgan",),
            packages=("torch", "spandrel"),
            licence="Apache-2.0",
            patience_s=120.0,
            pace_s=3.0,
        )

    def look(self) -> str:
        for name in self.needs.weights:
            folder_of(self._place.models, name)
        return f"GFPGAN on {self._place.device}"

    def load(self) -> None:
        raise UpscaleError("nothing to load")

    def unload(self) -> None:
        """Nothing is loaded."""

    def upscale(self, frames: Iterable[Frame], *, width: int, height: int) -> Iterator[Frame]:
        raise UpscaleError("nothing is loaded")
