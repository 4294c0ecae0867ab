"""The engine `realesrgan`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import ClassVar, Self

from core.errors import UpscaleError
from worker.engines.base import Needs, Place
from worker.engines.upscale.enlarging import WEIGHTS_MB, Enlarger
from worker.engines.upscale.sizing import batches, check_size
from worker.engines.upscale.weights import Weights, of_frames
from worker.engines.video.base import Frame
from worker.networks.compiling import PATIENCE_S
from worker.networks.failing import failing
from worker.networks.memory import give_back
from worker.networks.pictures import check_torchvision

_MB = 1 << 20
_PATIENCE_S = {"cpu": 900.0, "cuda": 120.0}
"""The slowest frame: x4plus on a slow processor; on a card, the first, which wakes its libraries."""


class RealESRGAN:
    """Real-ESRGAN: larger and finer frames, each by itself: what stands still in the film stands still enlarged.

    `realesr-general-x4v3`, or `realesrgan-x4plus` where that is here and the other is not.
    """

    name: ClassVar[str] = "realesrgan"

    def __init__(self, place: Place) -> None:
        self._place = place
        self._enlarger: Enlarger | None = None
        self._weights: Weights | None = None

    @classmethod
    def at(cls, place: Place) -> Self:
        return cls(place)

    @property
    def needs(self) -> Needs:
        """Of the weights that are here."""
        weights, on_card = self._chosen(), self._place.device != "cpu"
        return Needs(
            gpu_mb=weights.gpu_mb if on_card else 0,
            weights=(weights.name,),
            packages=("torch", "spandrel"),
            licence=weights.licence,
            patience_s=PATIENCE_S if self._place.compile else _PATIENCE_S["cuda" if on_card else "cpu"],
            pace_s=weights.pace_s[0 if on_card else 1],
        )

    def look(self) -> str:
        weights = self._chosen()
        weights.path(self._place.models)
        check_torchvision()
        return f"{weights.title} on {self._place.device}"

    def load(self) -> None:
        """Raises ModelMissing, and UpscaleError for weights that are broken or do not fit into memory."""
        self._ready()

    def unload(self) -> None:
        self._weights = None
        if self._enlarger is not None:
            self._enlarger = None
            give_back()

    def upscale(self, frames: Iterable[Frame], *, width: int, height: int) -> Iterator[Frame]:
        """The same frame gives the same frame. One that has the wanted size or more is resized without the network.
        Raises UpscaleError, `exhausted` where memory did not suffice for smaller tiles either."""
        check_size(width, height)
        return self._enlarged(frames, width, height)

    def _enlarged(self, frames: Iterable[Frame], width: int, height: int) -> Iterator[Frame]:
        enlarger = self._ready()
        for held in batches(frames, enlarger.at_once(width, height)):
            with failing(UpscaleError, self.name, "while it enlarged a frame", "the film is sent as it was drawn"):
                large = enlarger.together(held, width, height)
            yield from large

    def _ready(self) -> Enlarger:
        if self._enlarger is None:
            weights, place = self._chosen(), self._place
            remedy = f"`smarttalker models verify {weights.name}` tells what is wrong with them"
            with failing(UpscaleError, self.name, "while its weights were loaded", remedy):
                budget = (weights.gpu_mb - WEIGHTS_MB) * _MB
                path = weights.path(place.models)
                self._enlarger = Enlarger.open(path, place.device, budget, compile=place.compile)
            self._weights = weights
            give_back()
        return self._enlarger

    def _chosen(self) -> Weights:
        return self._weights or of_frames(self._place.models)
