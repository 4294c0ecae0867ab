"""The shipped fake: plain frames at no cost, for tests of everything around the layer."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from typing import ClassVar

import numpy as np

from core.catalogue import Avatar
from core.errors import VideoError
from core.kinds import Layer, Tone
from worker.engines.base import Needs
from worker.engines.directives import obey
from worker.engines.tts.base import Speech
from worker.engines.video.base import Canvas, Frame

GREY = 128


class Fake:
    """A grey picture that grows lighter while there is sound; frames come as the speech does."""

    name: ClassVar[str] = "fake"
    needs: ClassVar[Needs] = Needs()

    def load(self) -> None:
        """Nothing to load."""

    def unload(self) -> None:
        """Nothing to give back."""

    def size(self, canvas: Canvas) -> tuple[int, int]:
        return canvas.width, canvas.height

    def rate(self, canvas: Canvas) -> int:
        return canvas.fps

    def frames(
        self,
        speech: Iterable[Speech],
        *,
        avatar: Avatar,
        canvas: Canvas,
        tone: Tone = Tone.NEUTRAL,
        intensity: float = 0.0,
    ) -> Iterator[Frame]:
        """The first and the last frame are plain grey."""
        frame = np.full((canvas.height, canvas.width, 3), GREY, np.uint8)
        seconds, drawn = 0.0, 0
        for piece in speech:
            obey(piece.text or "", Layer.VIDEO, VideoError)
            seconds += piece.seconds
            level = float(np.sqrt(np.mean(np.square(piece.samples)))) if len(piece.samples) else 0.0
            while drawn < math.ceil(round(seconds * canvas.fps, 6)) - 1:
                frame[:] = GREY if drawn == 0 else round(GREY + 100 * min(level, 1.0))
                yield frame
                drawn += 1
        frame[:] = GREY
        yield frame
