"""How the portrait fills the canvas."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from worker.engines.video.base import Canvas

WIDE_STEP = 400
"""Pixels of the canvas' longer side from which the maps' nodes lie eight pixels apart and not four: a sixtieth of it,
between which the skin moves evenly."""


@dataclass(frozen=True)
class View:
    """The texture is the portrait at `scale`; canvas = texture - offset, centred, cut where the shapes differ. Offsets
    are even, so that chroma lies alike. size: (width, height) of the texture, even. step: canvas pixels between the
    nodes of the maps."""

    canvas: Canvas
    scale: float
    size: tuple[int, int]
    offset: tuple[int, int]

    @classmethod
    def fill(cls, portrait: NDArray[np.int32], canvas: Canvas) -> View:
        """portrait: its width and height."""
        width, height = int(portrait[0]), int(portrait[1])
        scale = max(canvas.width / width, canvas.height / height)
        size = (max(canvas.width, _even(width * scale)), max(canvas.height, _even(height * scale)))
        return cls(canvas, scale, size, (_even((size[0] - canvas.width) / 2), _even((size[1] - canvas.height) / 2)))

    @property
    def step(self) -> int:
        return 8 if max(self.canvas.width, self.canvas.height) > WIDE_STEP else 4

    def scaled(self, picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """A picture of the portrait's size as the texture's, (h, w) or (h, w, 3)."""
        return cv2.resize(picture, self.size, interpolation=self._mode).astype(np.uint8)

    def resized(self, picture: NDArray[np.float32]) -> NDArray[np.float32]:
        """The same in single precision."""
        return np.asarray(cv2.resize(picture, self.size, interpolation=self._mode), np.float32)

    @property
    def _mode(self) -> int:
        return cv2.INTER_AREA if self.scale < 1 else cv2.INTER_CUBIC

    def cut(self, texture: NDArray[np.uint8], parts: int = 1) -> NDArray[np.uint8]:
        """The canvas' part of a texture; parts: 2 for one of half the size."""
        left, top = self.offset[0] // parts, self.offset[1] // parts
        height, width = self.canvas.height // parts, self.canvas.width // parts
        return np.ascontiguousarray(texture[top : top + height, left : left + width])

    def nodes(self) -> NDArray[np.float32]:
        """(rows, columns, 2): the portrait's pixels seen at the maps' nodes at rest; one node more on each side."""
        step, axes = self.step, []
        for length, offset in zip((self.canvas.width, self.canvas.height), self.offset, strict=True):
            blocks = -(-(length + step // 2) // step)
            pixels = np.arange(-1, blocks) * step + (step - 1) / 2
            axes.append((pixels + offset + 0.5) / self.scale - 0.5)
        return np.stack(np.meshgrid(*axes), axis=-1).astype(np.float32)


def _even(length: float) -> int:
    return 2 * round(length / 2)
