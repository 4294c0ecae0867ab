"""The light that falls on a face, and what it makes of teeth."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from worker.faces import landmarks as lm

Image = NDArray[np.uint8]

WHITES = 0.9
"""The least light of an eye's white over the cheeks'; the shipped portraits' have 1.05."""
ENAMEL = (1.08, 1.04, 1.00)
"""Of an eye's white, what the brightest teeth show in the same light: as bright, and warmer."""
KEPT = (0.8, 1.2)
"""How far teeth are lit otherwise than the frame shows them."""
FRONT, BACK = 1.05, 0.90
"""The light in the mouth's middle, and where the last teeth are seen, over that in between."""

_CHEEKS = (50, 101, 36, 205, 280, 330, 266, 425)


def eye_white(rgb: Image, points: lm.Points) -> NDArray[np.float32]:
    """RGB of the eyes' whites: the light that falls on the face, as teeth will show it.

    The mean of the brighter pixels between the lids, without the brightest, which are reflections; behind spectacles
    or under heavy lids, where that is too dark, as much light as the cheeks show.
    """
    mask = np.zeros(rgb.shape[:2], np.uint8)
    for upper, lower in zip(lm.EYE_UPPER, lm.EYE_LOWER, strict=True):
        rim = np.concatenate([points[list(upper)], points[list(lower[::-1])]])
        cv2.fillPoly(mask, [np.rint(rim).astype(np.int32)], 1)
    inside = rgb[cv2.erode(mask, np.ones((3, 3), np.uint8)) > 0].astype(np.float32)
    if len(inside) < 20:
        return np.full(3, 170, np.float32)
    light = inside.mean(axis=1)
    low, high = np.percentile(light, [70, 94])
    white = inside[(light >= low) & (light <= high)].mean(axis=0)
    return np.asarray(white * max(1.0, WHITES * _skin(rgb, points) / max(float(white.mean()), 1.0)), np.float32)


def _skin(rgb: Image, points: lm.Points) -> float:
    """The light of the cheeks, 0–255."""
    at = np.clip(np.rint(points[list(_CHEEKS)]).astype(int), 0, np.array(rgb.shape[1::-1]) - 1)
    return float(np.median(rgb[at[:, 1], at[:, 0]].mean(axis=1)))


def as_enamel(plate: Image, teeth: Image, white: NDArray[np.float32]) -> Image:
    """A plate of teeth (premultiplied RGBA) in the light of the face, brightest in the middle.

    teeth: the plate whose brightest pixels show that light; white: RGB of the eyes' whites.
    """
    solid = teeth[teeth[..., 3] > 250][:, :3].astype(np.float32)
    if not len(solid):
        return plate
    bright = solid[solid[:, 2] >= np.percentile(solid[:, 2], 90)].mean(axis=0)
    tint = np.clip(white * np.array(ENAMEL, np.float32) / np.maximum(bright, 1), *KEPT)
    across = np.linspace(-1, 1, plate.shape[1], dtype=np.float32)[:, None]
    lit = plate[..., :3] * (tint * (FRONT + (BACK - FRONT) * across**2))
    return np.concatenate([np.minimum(lit, plate[..., 3:]).round().astype(np.uint8), plate[..., 3:]], axis=2)
