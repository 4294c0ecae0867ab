"""Who of a portrait is the person, and what lies behind."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]
Alpha = NDArray[np.uint8]
"""(h, w), 255 where the pixel is the person's alone."""


def refined(rgb: Image, coarse: NDArray[np.float32]) -> Alpha:
    """The person's outline, from a coarse map 0–1 of any size (`worker.faces.mesh.person`) and the picture itself."""
    size = (rgb.shape[1], rgb.shape[0])
    large = cv2.resize(coarse, size, interpolation=cv2.INTER_CUBIC)
    return np.asarray(np.clip(large, 0, 1) * 255 + 0.5).astype(np.uint8)


def backdrop(rgb: Image, alpha: Alpha) -> Image:
    """The picture without the person: what is behind, spread from around."""
    weight = np.asarray(cv2.erode((255 - alpha), np.ones((9, 9), np.uint8))).astype(np.float32) / 255
    return _pulled(rgb.astype(np.float32), np.asarray(weight, np.float32))


def _pulled(colour: NDArray[np.float32], weight: NDArray[np.float32]) -> Image:
    """Push-pull over a pyramid (Gortler et al. 1996): holes take the colours of coarser levels."""
    levels: list[tuple[NDArray[Any], NDArray[Any]]] = [(colour * weight[..., None], weight)]
    while min(levels[-1][1].shape) > 2:
        levels.append((cv2.pyrDown(levels[-1][0]), cv2.pyrDown(levels[-1][1])))
    filled = levels[-1][0] / np.maximum(levels[-1][1], 1e-4)[..., None]
    for seen, known in reversed(levels[:-1]):
        size = (known.shape[1], known.shape[0])
        filled = seen + cv2.resize(filled, size, interpolation=cv2.INTER_LINEAR) * (1 - np.clip(known, 0, 1))[..., None]
    return np.asarray(np.clip(filled + 0.5, 0, 255)).astype(np.uint8)


def foreground(rgb: Image, alpha: Alpha) -> Image:
    """The person's own colours, spread outwards over the rim: an outline that moves takes no backdrop along."""
    weight = np.clip((alpha.astype(np.float32) - 200) / 50, 0, 1)
    spread = _pulled(rgb.astype(np.float32), np.asarray(weight, np.float32))
    return np.where(alpha[..., None] > 250, rgb, spread).astype(np.uint8)
