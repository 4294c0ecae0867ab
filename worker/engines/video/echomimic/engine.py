"""The engine `echomimic`."""

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

_GPU_MB = 18432


class EchoMimic:
    """EchoMimicV2: half a body that speaks, drawn by diffusion."""

    name: ClassVar[str] = "echomimic"

    def __init__(self, place: Place) -> None:
        self._place = place

    @classmethod
    def at(cls, place: Place) -> Self:
        return cls(place)

    @property
    def needs(self) -> Needs:
        return Needs(
            gpu_mb=_GPU_MB if self._place.device != "cpu" else 0,
            weights=("echomimic-v2", "sd-vae-ft-mse", "whisper-tiny"),
            packages=("torch", "diffusers", "transformers", "safetensors"),
            licence="Apache-2.0",
            patience_s=300.0,
            pace_s=10.0,
        )

    def look(self) -> str:
        for name in self.needs.weights:
            folder_of(self._place.models, name)
        return f"EchoMimicV2 on {self._place.device}"

    def load(self) -> None:
        raise VideoError("nothing to load")

    def unload(self) -> None:
        """Nothing is loaded."""

    def size(self, canvas: Canvas) -> tuple[int, int]:
        return (768, 768)

    def rate(self, canvas: Canvas) -> int:
        return 24

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
