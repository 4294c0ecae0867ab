"""The shipped fake: nearest neighbours."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import ClassVar

import numpy as np

from core.errors import UpscaleError
from worker.engines.base import Needs
from worker.engines.video.base import Frame


class Fake:
    """Every pixel is one of the frame's own."""

    name: ClassVar[str] = "fake"
    needs: ClassVar[Needs] = Needs()

    def load(self) -> None:
        """Nothing to load."""

    def unload(self) -> None:
        """Nothing to give back."""

    def upscale(self, frames: Iterable[Frame], *, width: int, height: int) -> Iterator[Frame]:
        if width <= 0 or height <= 0:
            raise UpscaleError(f"no frame can be {width}x{height}")
        return (self._resize(frame, width, height) for frame in frames)

    def _resize(self, frame: Frame, width: int, height: int) -> Frame:
        rows = np.arange(height) * frame.shape[0] // height
        columns = np.arange(width) * frame.shape[1] // width
        return np.ascontiguousarray(frame[rows[:, None], columns])
