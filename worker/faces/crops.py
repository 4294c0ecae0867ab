"""Boxes about a face, cut out of a picture and put back into it, to a fraction of a pixel.

A box that is rounded to whole pixels jumps by one every few frames of a head that hardly moves, and whatever is drawn
in it flickers. So boxes are not rounded: a face lies as still in its crop as it can be seen to.
"""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]
"""(height, width) or (height, width, channels)."""

_SMALLER = 1.25
"""From so many times smaller on, a picture is averaged before it is put back: interpolation alone would skip pixels."""


class Box(NamedTuple):
    """Edges in pixels of the picture; pixel 0 reaches from 0 to 1."""

    left: float
    top: float
    right: float
    bottom: float

    @property
    def width(self) -> float:
        return self.right - self.left

    @property
    def height(self) -> float:
        return self.bottom - self.top


class Place(NamedTuple):
    """A rectangle of whole pixels."""

    left: int
    top: int
    width: int
    height: int


def within(box: Box, width: int, height: int) -> Box:
    """What of the box lies in a picture of that size; at least a pixel."""
    left, top = min(max(box.left, 0.0), width - 1.0), min(max(box.top, 0.0), height - 1.0)
    return Box(left, top, max(min(box.right, float(width)), left + 1), max(min(box.bottom, float(height)), top + 1))


def cut(picture: Picture, box: Box, side: int) -> Picture:
    """(side, side, …): the box, squashed to a square. Lanczos, as cv2.resize of whole pixels gives it, which networks
    that look at such crops were trained on."""
    return _warped(picture, _onto(box, (side, side), (0, 0)), (side, side), cv2.INTER_LANCZOS4)


def put(face: Picture, box: Box, place: Place) -> Picture:
    """(height, width, …) of the place: the square `face` at its box. Beyond the box its rim goes on."""
    source = face
    if face.shape[1] > _SMALLER * box.width or face.shape[0] > _SMALLER * box.height:
        size = (min(face.shape[1], max(1, round(box.width))), min(face.shape[0], max(1, round(box.height))))
        source = np.asarray(cv2.resize(face, size, interpolation=cv2.INTER_AREA), np.uint8)
    onto = _onto(box, (source.shape[1], source.shape[0]), (place.left, place.top))
    back = np.asarray(cv2.invertAffineTransform(onto), np.float64)
    return _warped(source, back, (place.width, place.height), cv2.INTER_CUBIC)


def _onto(box: Box, size: tuple[int, int], origin: tuple[int, int]) -> NDArray[np.float64]:
    """From pixels of a picture of `size` that shows the box to those of the picture that the box lies in, counted from
    `origin`. Middles of pixels are at halves, of which cv2's coordinates know nothing."""
    across, down = box.width / size[0], box.height / size[1]
    left, top = box.left - origin[0] + across / 2 - 0.5, box.top - origin[1] + down / 2 - 0.5
    return np.array([[across, 0.0, left], [0.0, down, top]])


def _warped(picture: Picture, back: NDArray[np.float64], size: tuple[int, int], how: int) -> Picture:
    """back: from the outcome's pixels to the picture's."""
    flags = how | cv2.WARP_INVERSE_MAP
    return np.asarray(cv2.warpAffine(picture, back, size, flags=flags, borderMode=cv2.BORDER_REPLICATE), np.uint8)
