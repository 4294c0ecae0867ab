"""The engine `facerestore`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import ClassVar, Self

from core.errors import UpscaleError
from worker.engines.base import Needs, Place
from worker.engines.upscale.enlarging import WEIGHTS_MB, Enlarger
from worker.engines.upscale.facerestore.painting import Painter
from worker.engines.upscale.facerestore.restoring import Restorer
from worker.engines.upscale.facerestore.weights import of_faces
from worker.engines.upscale.sizing import batches, check_size, is_large_enough, resized
from worker.engines.upscale.weights import GENERAL, Weights
from worker.engines.video.base import Frame
from worker.faces.following import Follower
from worker.networks.compiling import PATIENCE_S
from worker.networks.failing import failing
from worker.networks.memory import give_back
from worker.networks.pictures import check_torchvision

_MB = 1 << 20
_PATIENCE_S = {"cpu": 900.0, "cuda": 120.0}


class FaceRestore:
    """GFPGAN, or CodeFormer where its licence was accepted: the one face drawn again, finer; the rest of the frame
    enlarged by Real-ESRGAN's general network where its weights are here, else by Lanczos's filter.

    The same film gives the same frames.
    """

    name: ClassVar[str] = "facerestore"

    def __init__(self, place: Place) -> None:
        self._place = place
        self._loaded: tuple[Weights, Restorer, Enlarger | None] | None = None
        self._follower = Follower()

    @classmethod
    def at(cls, place: Place) -> Self:
        return cls(place)

    @property
    def needs(self) -> Needs:
        """Of the weights that are here."""
        weights, on_card = self._chosen(), self._place.device != "cpu"
        extra = ("spandrel_extra_arches",) if weights.kind == "CodeFormer" else ()
        used = (weights, GENERAL) if self._has_general() else (weights,)
        return Needs(
            gpu_mb=sum(each.gpu_mb for each in used) if on_card else 0,
            weights=tuple(each.name for each in used),
            packages=("torch", "spandrel", *extra),
            licence=weights.licence,
            patience_s=PATIENCE_S if self._place.compile else _PATIENCE_S["cuda" if on_card else "cpu"],
            pace_s=sum(each.pace_s[0 if on_card else 1] for each in used),
        )

    def look(self) -> str:
        weights = self._chosen()
        weights.path(self._place.models)
        check_torchvision()
        rest = GENERAL.title if self._has_general() else "Lanczos's filter"
        return f"{weights.title} on {self._place.device}, what is not face by {rest}"

    def load(self) -> None:
        """Raises ModelMissing, and UpscaleError for weights that are broken or do not fit into memory."""
        self._ready()

    def unload(self) -> None:
        self._follower.close()
        if self._loaded is not None:
            self._loaded = None
            give_back()

    def upscale(self, frames: Iterable[Frame], *, width: int, height: int) -> Iterator[Frame]:
        """A frame that has the wanted size or more is resized, and its face left as it is. Raises UpscaleError,
        `exhausted` where memory did not suffice a second time."""
        check_size(width, height)
        return self._restored(frames, width, height)

    def _restored(self, frames: Iterable[Frame], width: int, height: int) -> Iterator[Frame]:
        _, restorer, enlarger = self._ready()
        painter, begun = Painter(restorer), False
        with ThreadPoolExecutor(1, thread_name_prefix="face") as beside:
            for held in batches(frames, enlarger.at_once(width, height) if enlarger else 1):
                if is_large_enough(held[0], width, height):
                    yield from (resized(frame, width, height) for frame in held)
                    continue
                with failing(UpscaleError, self.name, "while it restored a face", "the film is sent as it was drawn"):
                    if not begun:
                        self._follower.begin()
                        begun = True
                    seen = [beside.submit(self._follower.points, frame) for frame in held]
                    large = _enlarged(enlarger, held, width, height)
                    made = [
                        painter.painted(frame, each, points.result())
                        for frame, each, points in zip(held, large, seen, strict=True)
                    ]
                yield from made

    def _ready(self) -> tuple[Weights, Restorer, Enlarger | None]:
        if self._loaded is None:
            weights, place = self._chosen(), self._place
            remedy = f"`smarttalker models verify {weights.name}` tells what is wrong with them"
            with failing(UpscaleError, self.name, "while its weights were loaded", remedy):
                path = weights.path(place.models)
                restorer = Restorer.open(path, weights.kind, place.device, compile=place.compile)
                self._loaded = weights, restorer, self._enlarger()
            give_back()
        self._follower.start()
        return self._loaded

    def _enlarger(self) -> Enlarger | None:
        if not GENERAL.are_in(self._place.models):
            return None
        budget = (GENERAL.gpu_mb - WEIGHTS_MB) * _MB
        path = GENERAL.path(self._place.models)
        return Enlarger.open(path, self._place.device, budget, compile=self._place.compile)

    def _chosen(self) -> Weights:
        return self._loaded[0] if self._loaded else of_faces(self._place.models)

    def _has_general(self) -> bool:
        return self._loaded[2] is not None if self._loaded else GENERAL.are_in(self._place.models)


def _enlarged(enlarger: Enlarger | None, frames: Sequence[Frame], width: int, height: int) -> Sequence[Frame]:
    if enlarger is None:
        return [resized(frame, width, height) for frame in frames]
    return enlarger.together(frames, width, height)
