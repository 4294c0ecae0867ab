"""A redrawn lower face, joined to the picture so that no seam shows.

The geometry is that of MuseTalk 1.5 (`musetalk/utils/blending.py`, `face_parsing/__init__.py`): about the face's box
lies a square; in it the jaw's region below the middle counts, blurred by a twentieth of the square. Upstream's network
that finds the face's region is replaced by the contour of the landmarks.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from worker.faces.crops import Box, Place

Mask = NDArray[np.uint8]
"""(height, width), 0 … 255: how much of each pixel is redrawn."""

Points = NDArray[np.float32]

EXPAND = 1.5
"""Half of the square's side, in halves of the box's longer side."""
BLUR = 0.05
"""Of the square's side: the Gaussian's width, whose deviation is what cv2 has for it."""
CHEEK, CHIN = 34 / 512, 6 / 512
"""Of the square's side: how far the mask stays inside the cheeks' contour, and how far it reaches below the chin."""
_MIDDLE = (60 / 512, 120 / 512)
"""Of the square's side, from its middle: up to the first all is chin, from the second on all is cheek."""
_FINE = 8
"""The region is drawn so many times larger and then averaged: cv2's own soft edges are no shares of pixels."""


class Square(NamedTuple):
    """Whole pixels; may reach beyond the picture."""

    left: int
    top: int
    side: int

    @property
    def kernel(self) -> int:
        """Pixels of the Gaussian, odd."""
        return int(BLUR * self.side // 2 * 2) + 1


def square(box: Box) -> Square:
    """About the box."""
    left, top, right, bottom = (math.floor(edge + 0.5) for edge in box)
    half = int(max(right - left, bottom - top) // 2 * EXPAND)
    return Square((left + right) // 2 - half, (top + bottom) // 2 - half, 2 * half)


def middle(box: Box) -> float:
    """The height from which on the face is redrawn."""
    return (box.top + box.bottom) / 2


def jaw(contour: Points, box: Box, place: Place) -> Mask:
    """(height, width) of the place: the region within the contour (n, 2) from ear to ear by way of the chin, in pixels
    of the picture, below the box's middle; on the cheeks a little less, at the chin a little more. It keeps so far from
    the box's rim that its feather ends there. It moves with box and contour by parts of a pixel."""
    side = EXPAND * max(box.width, box.height)
    across = (box.left + box.right) / 2
    away = contour[:, 0] - across
    cheek = np.clip((np.abs(away) / side - _MIDDLE[0]) / (_MIDDLE[1] - _MIDDLE[0]), 0, 1)
    x = across + np.sign(away) * np.maximum(np.abs(away) - cheek * CHEEK * side, 0)
    y = contour[:, 1] + (1 - cheek) * CHIN * side
    edge = BLUR * side / 2
    x, y = np.clip(x, box.left + edge, box.right - edge), np.clip(y, middle(box), box.bottom - edge / 2)
    fine = np.zeros((place.height * _FINE, place.width * _FINE), np.uint8)
    corners = np.column_stack([x - place.left, y - place.top]) * _FINE - 0.5
    cv2.fillPoly(fine, [np.rint(corners).astype(np.int32)], 255)
    return np.asarray(cv2.resize(fine, (place.width, place.height), interpolation=cv2.INTER_AREA), np.uint8)


def feathered(region: Mask, box: Box, place: Place, kernel: int) -> Mask:
    """The part of a region (0 … 255, of the place) that lies in the box and below its middle, blurred; beyond the box
    it is 0, since nothing is drawn there. kernel: the square's; of a film the same in each frame."""
    rows = slice(max(round(box.top) - place.top, 0), max(round(box.bottom) - place.top, 0))
    columns = slice(max(round(box.left) - place.left, 0), max(round(box.right) - place.left, 0))
    inside = np.zeros_like(region)
    inside[rows, columns] = 1
    cleared = region * inside
    cleared[: max(math.floor(middle(box)) - place.top, 0)] = 0
    blurred = cv2.GaussianBlur(cleared, (kernel, kernel), 0, borderType=cv2.BORDER_CONSTANT)
    return np.asarray(blurred * inside, np.uint8)


def blend(under: NDArray[np.uint8], over: NDArray[np.uint8], alpha: NDArray[np.float32]) -> None:
    """Draws `over` into `under`, all (height, width): alpha 1 is all `over`. Where alpha is 0 nothing changes."""
    away = cv2.subtract(over, under, dtype=cv2.CV_32F)
    cv2.add(under, cv2.multiply(away, alpha), dst=under, dtype=cv2.CV_8U)
