"""What one plane of a frame is drawn from, and how: the same for luma and, at half the size, for chroma."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from worker.engines.video.puppet.drawing.interior import Shade

Pixels = NDArray[np.uint8]
"""(1, h, w) luma, or (2, h, w) both planes of chroma."""

Nodes = NDArray[np.float32]
"""(rows, columns, 2): x, y of the texture in 1/32 pixel, whole numbers, at nodes `step` pixels apart. Node (r, c) lies
at the canvas' pixel ((c - 1) step + (step - 1) / 2, (r - 1) step + (step - 1) / 2)."""

Target = tuple[Pixels, ...]
"""The plane of luma, or both of chroma, each (height, width)."""

UNITS = 32
"""Positions are whole numbers of 1/32 pixel, as OpenCV's remap takes them: both ways of drawing then read alike."""

STILL, MIXED, WHOLE, EMPTY = 0, 1, 2, 3
"""Kinds of block: never changes; person and backdrop; the person alone; the backdrop alone."""


@dataclass(frozen=True)
class Sheet:
    """One plane. step: pixels between nodes, a power of two. texture: the person's colours. alpha: (h, w), of 255.
    back: what is behind, of the canvas' size. kinds: (rows, columns) of blocks, of which (r, c) lies between the nodes
    (r, c) and (r + 1, c + 1). seam: (w + 1,), the y of the lips' seam in each column of the texture. depth: (channels,)
    and flesh: (2, channels), the mouth's depth, and the lips' inner flesh at its left and right corner."""

    step: int
    texture: Pixels
    alpha: Pixels
    back: Pixels
    kinds: NDArray[np.uint8]
    seam: NDArray[np.float32]
    depth: NDArray[np.float32]
    flesh: NDArray[np.float32]

    @property
    def channels(self) -> int:
        return len(self.texture)


@dataclass(frozen=True)
class Opening:
    """The mouth of one frame: maps of the skin above the seam, of that below it and of the skull, and the inner
    mouth's picture, whose first pixel is the texture's `at` (x, y). box: top, left, bottom, right of the area, in
    pixels of the plane."""

    above: Nodes
    below: Nodes
    skull: Nodes
    inner: Pixels
    at: tuple[int, int]
    shade: Shade
    box: tuple[int, int, int, int]


class Brush(Protocol):
    """Draws one sheet."""

    def __init__(self, sheet: Sheet) -> None: ...

    def warp(self, nodes: Nodes, target: Target) -> None:
        """Every block that is not still."""

    def mouth(self, opening: Opening, target: Target) -> None:
        """Lips and what is between them, over what `warp` drew."""


def padded(pixels: NDArray[Any]) -> NDArray[Any]:
    """A copy with three rows and 16 pixels more behind it in memory, which a kernel reads and weighs with nothing."""
    room = np.zeros(pixels.size + 3 * pixels.shape[-1] + 16, pixels.dtype)
    inside = room[: pixels.size].reshape(pixels.shape)
    inside[...] = pixels
    return inside
