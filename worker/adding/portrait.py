"""From a photo to a portrait like those that are shipped: square, upright, the face in its middle."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from worker.faces import landmarks as lm
from worker.faces.framing import cut

Image = NDArray[np.uint8]

SIDE = 1024
"""Pixels of the portrait."""
CHEEKS = (330, 540)
"""Pixels between the cheeks: as in the shipped portraits, and the most where the photo shows little about the face."""
SOFT_FROM = 1.5
"""Enlarged by more than this, a photo is smoothed and sharpened."""
NOISE, SHARPER = 14.0, 0.45
"""Differences that count as noise, of 255, and how much of the edges' detail is added."""
LEVEL = 0.47
"""Where between the portrait's upper and lower edge the middle of forehead and chin lies."""
ROLL_LEFT_ALONE = 1.0
"""Degrees of tilt that nobody sees."""


def upright(rgb: Image, mesh: NDArray[np.float32], roll: float) -> tuple[Image, NDArray[np.float32]]:
    """The photo turned about the face so that the eyes are level, and the mesh (478, 3) turned with it.

    roll: degrees, clockwise. Corners that come in are the photo's rim, continued.
    """
    if abs(roll) < ROLL_LEFT_ALONE:
        return rgb, mesh
    middle = mesh[:, :2].mean(axis=0)
    turn = cv2.getRotationMatrix2D((float(middle[0]), float(middle[1])), roll, 1.0)
    size = (rgb.shape[1], rgb.shape[0])
    turned = cv2.warpAffine(rgb, turn, size, flags=cv2.INTER_LANCZOS4, borderMode=cv2.BORDER_REPLICATE)
    points = mesh.copy()
    points[:, :2] = mesh[:, :2] @ turn[:, :2].T + turn[:, 2]
    return turned.astype(np.uint8), points


def portrait(rgb: Image, mesh: NDArray[np.float32]) -> Image:
    """(SIDE, SIDE, 3): head and shoulders as far as the photo shows them."""
    left, top, side = square(rgb.shape[1], rgb.shape[0], mesh)
    crop = cut(rgb, left, top, side)
    if side >= SIDE:
        return cv2.resize(crop, (SIDE, SIDE), interpolation=cv2.INTER_AREA).astype(np.uint8)
    return _enlarged(crop)


def _enlarged(crop: Image) -> Image:
    """A small photo at the portrait's size: its noise is smoothed where there are no edges, and the edges are drawn
    tighter (unsharp mask), both the more the smaller it is."""
    factor = SIDE / crop.shape[0]
    amount = float(np.clip((factor - SOFT_FROM) / SOFT_FROM, 0, 1))
    if amount > 0:
        calm = cv2.bilateralFilter(crop, 5, NOISE, 1.5)
        crop = cv2.addWeighted(crop, 1 - amount, calm, amount, 0).astype(np.uint8)
    large = cv2.resize(crop, (SIDE, SIDE), interpolation=cv2.INTER_LANCZOS4)
    soft = cv2.GaussianBlur(large, (0, 0), 0.7 * factor)
    return cv2.addWeighted(large, 1 + SHARPER * amount, soft, -SHARPER * amount, 0).astype(np.uint8)


def square(width: int, height: int, mesh: NDArray[np.float32]) -> tuple[int, int, int]:
    """Left, top and side of the portrait's square in the photo; it may reach beyond the photo's rim.

    It is as large as a shipped portrait's, or as the photo allows, but the face never fills much more than half of it.
    """
    wide = float(np.ptp(mesh[list(lm.CHEEKS), 0]))
    x = float(mesh[list(lm.CHEEKS), 0].mean())
    y = float(mesh[[lm.FOREHEAD, lm.CHIN], 1].mean())
    largest, smallest = wide * SIDE / CHEEKS[0], wide * SIDE / CHEEKS[1]
    fits = min(2 * x, 2 * (width - x), y / LEVEL, (height - y) / (1 - LEVEL))
    side = max(min(largest, fits), smallest)
    return round(x - side / 2), round(y - LEVEL * side), round(side)
