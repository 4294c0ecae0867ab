"""Portrait and speech to frames."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from av.video.reformatter import ColorRange, Colorspace
from numpy.typing import NDArray

from core.catalogue import Avatar
from core.kinds import Tone
from worker.engines.base import Engine
from worker.engines.tts.base import Speech

Frame = NDArray[np.uint8]
"""(height, width, 3), RGB, 0 … 255."""


@dataclass(frozen=True)
class Planes:
    """A frame as the encoder takes it: 4:2:0, BT.709, limited range. y: (height, width); u, v: (height / 2, width / 2),
    uint8, views of `buffer`, an av.VideoFrame (yuv420p)."""

    y: NDArray[np.uint8]
    u: NDArray[np.uint8]
    v: NDArray[np.uint8]
    buffer: Any

    def rgb(self) -> Frame:
        """A copy in RGB."""
        picture = self.buffer.reformat(
            format="rgb24", src_colorspace=Colorspace.ITU709, src_color_range=ColorRange.MPEG
        )
        return np.asarray(picture.to_ndarray(), np.uint8)


Picture = Frame | Planes

HELD = 2
"""So many frames that an engine yielded may still be in use when it is asked for the next one."""


@dataclass(frozen=True)
class Canvas:
    """The size that the channel wants, in pixels (both even), and frames a second."""

    width: int = 512
    height: int = 512
    fps: int = 25


class VideoEngine(Engine, Protocol):
    """Layer 5."""

    def size(self, canvas: Canvas) -> tuple[int, int]:
        """(width, height) of the frames that `frames` will yield: the canvas's own where the engine can draw it."""
        ...

    def frames(
        self,
        speech: Iterable[Speech],
        *,
        avatar: Avatar,
        canvas: Canvas,
        tone: Tone = Tone.NEUTRAL,
        intensity: float = 0.0,
    ) -> Iterator[Frame]:
        """Frame i shows the moment i / fps; ceil(seconds x fps) frames in all, at least one.

        `speech` is read as it comes and may block; frames are yielded as soon as they can be drawn, so memory does
        not grow with the length. Starts and ends neutral. A yielded array may be overwritten after the next one
        is asked for. Raises VideoError.
        """
        ...
