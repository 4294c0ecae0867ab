"""Holes in pictures, filled from around."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Colours = NDArray[np.float32]
"""(h, w, 3)."""
Weight = NDArray[np.float32]
"""(h, w) 0–1: how much a pixel is known."""

COARSE = 4
"""Pixels of the picture for one of that on which smooth fills are made."""
ROUNDS = 60
"""Of diffusion on it: they even out what the pyramid leaves within some thirty pixels of the picture."""


def pulled(colour: Colours, weight: Weight) -> Colours:
    """Push-pull over a pyramid (Gortler et al. 1996): holes take the colours of coarser levels; the known stays."""
    levels: list[tuple[NDArray[Any], NDArray[Any]]] = [(colour * weight[..., None], weight)]
    while min(levels[-1][1].shape) > 2:
        levels.append((cv2.pyrDown(levels[-1][0]), cv2.pyrDown(levels[-1][1])))
    filled = levels[-1][0] / np.maximum(levels[-1][1], 1e-4)[..., None]
    for seen, known in reversed(levels[:-1]):
        # A coarse level knows a hole's rim in part only: its colour counts whole, once enough of it is known.
        own = seen / np.maximum(known, 1e-4)[..., None]
        filled = cv2.resize(filled, known.shape[::-1], interpolation=cv2.INTER_LINEAR)
        filled = filled + (own - filled) * np.minimum(known * 4, 1)[..., None]
    return np.asarray(filled, np.float32)


def behind(picture: Colours, hole: NDArray[np.bool_], reach: float) -> Colours:
    """The picture with its hole filled as if one looked through: the colours around it run on smoothly, and up to
    `reach` pixels from the rim the finer detail (grain, cloth, leaves) is that of the other side, mirrored."""
    known = (~hole).astype(np.float32)
    low = _low(picture, known)
    detail = (picture - low) * known[..., None]
    # Where nothing is known, everything is endlessly far.
    far: Weight = np.minimum(cv2.distanceTransform(hole.astype(np.uint8), cv2.DIST_L2, 5), hole.shape[1])
    fade = np.clip(2 - far / reach, 0, 1)[..., None]
    filled = low + _mirrored(detail, far) * fade
    return np.where(hole[..., None], filled, picture).astype(np.float32)


def _low(picture: Colours, known: Weight) -> Colours:
    """The broad colours, run on over the hole."""
    size = (max(2, known.shape[1] // COARSE), max(2, known.shape[0] // COARSE))
    weight = cv2.resize(known, size, interpolation=cv2.INTER_AREA)
    sums = cv2.resize(picture * known[..., None], size, interpolation=cv2.INTER_AREA)
    weight, sums = cv2.GaussianBlur(weight, (0, 0), 2), cv2.GaussianBlur(sums, (0, 0), 2)
    colour: Colours = np.asarray(sums / np.maximum(weight, 1e-4)[..., None], np.float32)
    free = (weight < 0.3).astype(np.float32)
    colour = pulled(colour, 1 - free)
    for _ in range(ROUNDS):
        colour += (cv2.blur(colour, (3, 3)) - colour) * free[..., None]
    return np.asarray(cv2.resize(colour, known.shape[::-1], interpolation=cv2.INTER_CUBIC), np.float32)


def _mirrored(detail: Colours, far: Weight) -> Colours:
    """What lies as far outside of a hole as a pixel lies inside (`far`), across the rim. Pixels are taken whole: grain
    that is interpolated is weaker."""
    height, width = far.shape
    even = cv2.GaussianBlur(far, (0, 0), 4.0 * width / 1024)
    across, down = cv2.Scharr(even, cv2.CV_32F, 1, 0), cv2.Scharr(even, cv2.CV_32F, 0, 1)
    twice = 2 * far / np.maximum(cv2.magnitude(across, down), 1e-6)
    x = np.asarray(np.arange(width) - across * twice, np.float32)
    y = np.asarray(np.arange(height)[:, None] - down * twice, np.float32)
    return np.asarray(cv2.remap(detail, x, y, cv2.INTER_NEAREST, None, cv2.BORDER_REFLECT_101))
