"""Portrait and speech to frames."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from core.catalogue import Avatar
from core.kinds import Tone
from worker.engines.base import Engine
from worker.engines.tts.base import Speech
from worker.engines.video import colour

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
        return colour.rgb(self.y, self.u, self.v)


Picture = Frame | Planes


def as_rgb(picture: Picture) -> Frame:
    """(height, width, 3) RGB; of planes a copy."""
    return picture.rgb() if isinstance(picture, Planes) else picture


HELD = 6
"""So many frames that an engine yielded may still be in use when it is asked for the next one."""


@dataclass(frozen=True)
class Canvas:
    """The size that the channel wants, in pixels (both even), and frames a second."""

    width: int = 512
    height: int = 512
    fps: int = 25


Watch = Callable[[float], None]
"""Told the share of the work that is done, 0 … 1. May raise: then the work is given up."""


def unwatched(share: float) -> None:
    """The watch of an engine that nobody looks at."""


class VideoEngine(Engine, Protocol):
    """Layer 5.

    One that can't draw every avatar has `refuses(avatar: Avatar) -> str | None`: why it can't draw this one, told
    without loading and at once where it was asked before; None: it can. One that works long before its first frame has
    an attribute `watch: Watch`, which it calls between calls of its networks; what it raises passes through `frames`.
    """

    def size(self, canvas: Canvas) -> tuple[int, int]:
        """(width, height) of the frames that `frames` will yield: the canvas's own where the engine can draw it."""
        ...

    def rate(self, canvas: Canvas) -> int:
        """Frames a second that `frames` will yield: the canvas's own where the engine can draw so many."""
        ...

    def frames(
        self,
        speech: Iterable[Speech],
        *,
        avatar: Avatar,
        canvas: Canvas,
        tone: Tone = Tone.NEUTRAL,
        intensity: float = 0.0,
    ) -> Iterator[Picture]:
        """Frame i shows the moment i / rate; ceil(seconds x rate) frames in all, at least one.

        `speech` is read as it comes and may block; frames are yielded as soon as they can be drawn, so memory does
        not grow with the length. Starts and ends neutral. A yielded array may be overwritten when the next one is
        asked for, yielded planes when HELD more were. Raises VideoError.
        """
        ...
