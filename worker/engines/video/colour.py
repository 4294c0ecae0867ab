"""RGB to the encoder's colours and back: BT.709, limited range, 4:2:0 (ITU-R BT.709-6, tables 3 and 4)."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

_LUMA = np.array([0.2126, 0.7152, 0.0722], np.float32)
"""Of red, green and blue: BT.709."""
_BLUE, _RED = 1.8556, 1.5748
"""How far blue and red may leave the luma, both ways: 2 (1 - the colour's share)."""

_MATRIX = np.column_stack(
    [
        np.stack(
            [
                _LUMA * np.float32(219 / 255),
                (np.eye(3, dtype=np.float32)[2] - _LUMA) * np.float32(224 / 255 / _BLUE),
                (np.eye(3, dtype=np.float32)[0] - _LUMA) * np.float32(224 / 255 / _RED),
            ]
        ),
        np.array([16, 128, 128], np.float32),
    ]
)


def luma_chroma(rgb: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """(h, w) and (h, w, 2), not rounded, of (h, w, 3) RGB 0 … 255: BT.709, limited range. Chroma is not yet halved."""
    light = rgb @ _LUMA
    away = np.stack([(rgb[..., 2] - light) / np.float32(_BLUE), (rgb[..., 0] - light) / np.float32(_RED)], axis=-1)
    return (16 + light * np.float32(219 / 255)).astype(np.float32), (128 + away * np.float32(224 / 255)).astype(
        np.float32
    )


def split(rgb: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """(1, h, w) luma and (2, h / 2, w / 2) chroma of (h, w, 3) RGB, both sizes even."""
    luma, chroma = luma_chroma(rgb.astype(np.float32))
    return rounded(luma)[None], planar(rounded(halved(chroma)))


def levels(rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """(h, w, 3) luma, blue and red, of (h, w, 3) RGB, rounded; chroma is not yet halved. The quickest way."""
    return np.asarray(cv2.transform(rgb, _MATRIX), np.uint8)


def planar(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """(h, w, c) as (c, h, w)."""
    return np.ascontiguousarray(np.moveaxis(picture, -1, 0))


def halved(picture: NDArray[np.float32]) -> NDArray[np.float32]:
    """The mean of each two by two pixels."""
    size = (picture.shape[1] // 2, picture.shape[0] // 2)
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.float32)


def rounded(picture: NDArray[np.float32]) -> NDArray[np.uint8]:
    return np.asarray(np.clip(picture + 0.5, 0, 255)).astype(np.uint8)


def rgb(luma: NDArray[np.uint8], blue: NDArray[np.uint8], red: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """(h, w, 3) of (h, w) luma and two planes of (h / 2, w / 2) chroma."""
    size = (luma.shape[1], luma.shape[0])
    light = (luma.astype(np.float32) - 16) * np.float32(255 / 219)
    chroma = np.stack([blue, red], axis=-1).astype(np.float32) - 128
    away = cv2.resize(chroma, size, interpolation=cv2.INTER_LINEAR) * np.float32(255 / 224)
    shown = np.empty((*luma.shape, 3), np.float32)
    shown[..., 0] = light + np.float32(_RED) * away[..., 1]
    shown[..., 2] = light + np.float32(_BLUE) * away[..., 0]
    shown[..., 1] = (light - _LUMA[0] * shown[..., 0] - _LUMA[2] * shown[..., 2]) / _LUMA[1]
    return rounded(shown)
