"""Frames whose planes are drawn into."""

from __future__ import annotations

from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from worker.engines.video.base import HELD, Frame, Planes
from worker.engines.video.colour import split


def blank(width: int, height: int) -> Planes:
    """A frame of the encoder's own, black or not."""
    return planes_in(av.VideoFrame(width, height, "yuv420p"))


def planes_in(buffer: av.VideoFrame) -> Planes:
    """A frame's own (yuv420p)."""
    views = []
    for plane in buffer.planes:
        memory: Any = plane
        whole = np.frombuffer(memory, np.uint8).reshape(plane.height, plane.line_size)
        views.append(whole[:, : plane.width])
    return Planes(views[0], views[1], views[2], buffer)


def planes_of(rgb: Frame) -> Planes:
    """A new frame of (h, w, 3) RGB, both sizes even."""
    planes = blank(rgb.shape[1], rgb.shape[0])
    luma, chroma = split(rgb)
    planes.y[:], planes.u[:], planes.v[:] = luma[0], chroma[0], chroma[1]
    return planes


class Ring:
    """Frames that are drawn into in turn; one more than may be in use while the next is drawn. Each holds what was
    drawn into it last, so that what never changes is drawn once."""

    def __init__(self, luma: NDArray[np.uint8], chroma: NDArray[np.uint8]) -> None:
        """luma: (1, h, w), chroma: (2, h / 2, w / 2): what every frame holds at first."""
        height, width = luma.shape[1:]
        self._frames = [blank(width, height) for _ in range(HELD + 1)]
        for frame in self._frames:
            frame.y[:], frame.u[:], frame.v[:] = luma[0], chroma[0], chroma[1]
        self._next = 0

    def take(self) -> Planes:
        self._next = (self._next + 1) % len(self._frames)
        return self._frames[self._next]
