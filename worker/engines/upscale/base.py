"""Frames to larger or finer frames."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Protocol

from worker.engines.base import Engine
from worker.engines.video.base import Frame


class UpscaleEngine(Engine, Protocol):
    """Layer 6."""

    def upscale(self, frames: Iterable[Frame], *, width: int, height: int) -> Iterator[Frame]:
        """As many frames as come in, each (height, width, 3) RGB. Raises UpscaleError."""
        ...
