"""Cutting a square out of a picture that may end within it."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]


def cut(rgb: Image, left: int, top: int, side: int) -> Image:
    """The square; what lies beyond the picture's rim is that rim, drawn outwards and blurred."""
    height, width = rgb.shape[:2]
    margins = (max(-top, 0), max(top + side - height, 0), max(-left, 0), max(left + side - width, 0))
    crop = rgb[max(top, 0) : min(top + side, height), max(left, 0) : min(left + side, width)]
    if not any(margins):
        return np.ascontiguousarray(crop)
    whole = cv2.copyMakeBorder(crop, *margins, cv2.BORDER_REPLICATE)
    soft = cv2.GaussianBlur(cv2.GaussianBlur(whole, (0, 0), 0.03 * side), (0, 0), 0.03 * side)
    inside = np.zeros(whole.shape[:2], np.uint8)
    inside[margins[0] : side - margins[1], margins[2] : side - margins[3]] = 1
    far = cv2.distanceTransform(1 - inside, cv2.DIST_L2, 3) / (0.03 * side)
    weight = np.clip(far, 0, 1)[..., None]
    return np.asarray(whole + (soft.astype(np.float32) - whole) * weight).astype(np.uint8)
