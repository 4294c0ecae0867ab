"""The engine `lanczos`: enlarging by a windowed sinc, on the CPU."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import ClassVar

import cv2
import numpy as np

from core.errors import UpscaleError
from worker.engines.base import Needs
from worker.engines.video.base import Frame


class Lanczos:
    """Lanczos of order 4 upwards (Duchon 1979), averaging downwards, where a sinc would shimmer."""

    name: ClassVar[str] = "lanczos"
    needs: ClassVar[Needs] = Needs()

    def load(self) -> None:
        """Nothing to load."""

    def unload(self) -> None:
        """Nothing to give back."""

    def upscale(self, frames: Iterable[Frame], *, width: int, height: int) -> Iterator[Frame]:
        """A frame that has the size already passes untouched."""
        if width <= 0 or height <= 0:
            raise UpscaleError(f"no frame can be {width}x{height}")
        return (self._resize(frame, width, height) for frame in frames)

    def _resize(self, frame: Frame, width: int, height: int) -> Frame:
        if frame.shape[:2] == (height, width):
            return frame
        larger = width * height > frame.shape[0] * frame.shape[1]
        mode = cv2.INTER_LANCZOS4 if larger else cv2.INTER_AREA
        return cv2.resize(frame, (width, height), interpolation=mode).astype(np.uint8, copy=False)
