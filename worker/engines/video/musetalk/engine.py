"""The engine `musetalk`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import ClassVar, Self

from core.catalogue import Avatar
from core.errors import VideoError
from core.kinds import Tone
from core.weights.folder import folder_of
from worker.engines.base import Needs, Place
from worker.engines.tts.base import Speech
from worker.engines.video.base import Canvas, Frame

_GPU_MB = 4096


class MuseTalk:
    """MuseTalk 1.5: the mouth of a film of the avatar, redrawn to the speech."""

    name: ClassVar[str] = "musetalk"

    def __init__(self, place: Place) -> None:
        self._place = place

    @classmethod
    def at(cls, place: Place) -> Self:
        return cls(place)

    @property
    def needs(self) -> Needs:
        return Needs(
            gpu_mb=_GPU_MB if self._place.device != "cpu" else 0,
            weights=("musetalk", "sd-vae-ft-mse", "whisper-tiny"),
            packages=("torch", "diffusers", "transformers", "safetensors"),
            licence="MIT",
            patience_s=300.0,
            pace_s=0.8,
        )

    def look(self) -> str:
        for name in self.needs.weights:
            folder_of(self._place.models, name)
        return f"MuseTalk 1.5 on {self._place.device}"

    def load(self) -> None:
        raise VideoError("nothing to load")

    def unload(self) -> None:
        """Nothing is loaded."""

    def size(self, canvas: Canvas) -> tuple[int, int]:
        return (canvas.width, canvas.height)

    def rate(self, canvas: Canvas) -> int:
        return 25

    def frames(
        self,
        speech: Iterable[Speech],
        *,
        avatar: Avatar,
        canvas: Canvas,
        tone: Tone = Tone.NEUTRAL,
        intensity: float = 0.0,
    ) -> Iterator[Frame]:
        raise VideoError("nothing is loaded")
