"""The engine `realesrgan`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import ClassVar, Self

from core.errors import UpscaleError
from core.weights.folder import folder_of
from worker.engines.base import Needs, Place
from worker.engines.video.base import Frame

_GPU_MB = 1024


class RealESRGAN:
    """Real-ESRGAN: larger and finer frames."""

    name: ClassVar[str] = "realesrgan"

    def __init__(self, place: Place) -> None:
        self._place = place

    @classmethod
    def at(cls, place: Place) -> Self:
        return cls(place)

    @property
    def needs(self) -> Needs:
        return Needs(
            gpu_mb=_GPU_MB if self._place.device != "cpu" else 0,
            weights=("realesr-general-x4v3",),
            packages=("torch", "spandrel"),
            licence="BSD-3-Clause",
            patience_s=120.0,
            pace_s=1.0,
        )

    def look(self) -> str:
        for name in self.needs.weights:
            folder_of(self._place.models, name)
        return f"Real-ESRGAN on {self._place.device}"

    def load(self) -> None:
        raise UpscaleError("nothing to load")

    def unload(self) -> None:
        """Nothing is loaded."""

    def upscale(self, frames: Iterable[Frame], *, width: int, height: int) -> Iterator[Frame]:
        raise UpscaleError("nothing is loaded")
