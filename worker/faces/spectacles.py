"""What lies before the eyes and stays where it is when they shut: a spectacles' frame, a strand of hair."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from worker.faces import landmarks as lm
from worker.faces.lids import Atlas

Image = NDArray[np.uint8]
Mask = NDArray[np.uint8]

AROUND, ABOVE, BELOW = 0.40, 0.48, 0.45
"""Where it is sought: beyond the eye to each side, above and below it, in widths of the eye."""
NEAR, EYE = 0.05, 0.13
"""About the eye's opening, so far in widths of it, what differs from the skin is always the eye's (lashes, liner), and
is so unless it belongs to something farther away."""
THICK = 0.40
"""Widths of the eye over which the skin's usual colour is taken: several times a frame's thickness."""
STRANGE = 30.0
"""How far from the skin's usual colour a frame is, of 255; a fold of the lids leaves it by 20."""
LONG = 0.7
"""Widths of the eye that it spans at least."""


def before(rgb: Image, points: lm.Points) -> Mask:
    """(h, w) 0 or 1."""
    found = np.zeros(rgb.shape[:2], np.uint8)
    for upper, lower in zip(lm.EYE_UPPER, lm.EYE_LOWER, strict=True):
        rim = points[[*upper, *lower[::-1]]]
        wide = float(np.ptp(rim[:, 0]))
        above, below = np.array([AROUND, ABOVE]) * wide, np.array([AROUND, BELOW]) * wide
        low = np.maximum(rim.min(axis=0) - above, 0).astype(int)
        high = np.minimum(rim.max(axis=0) + below, rgb.shape[1::-1]).astype(int)
        area = np.s_[low[1] : high[1], low[0] : high[0]]
        found[area] |= _strange(rgb[area], rim - low, wide)
    return found


def _strange(rgb: Image, rim: lm.Points, wide: float) -> Mask:
    """Long things unlike the skin that go on beyond the area; rim: the eye's."""
    usual = cv2.medianBlur(rgb, 2 * round(THICK * wide / 2) + 1).astype(np.float32)
    strange = (np.abs(rgb.astype(np.float32) - usual).max(axis=2) > STRANGE).astype(np.uint8)
    eye = np.zeros(strange.shape, np.uint8)
    cv2.fillPoly(eye, [np.rint(rim).astype(np.int32)], 1)
    whole = np.where(_wider(eye, NEAR * wide) > 0, 0, strange).astype(np.uint8)
    strange[_wider(eye, EYE * wide) > 0] = 0
    count, labels, stats, _ = cv2.connectedComponentsWithStats(strange, connectivity=8)
    kept: Mask = np.zeros(strange.shape, np.uint8)
    for label in range(1, count):
        left, top, width, height, _ = stats[label]
        beyond = left == 0 or top == 0 or left + width == rgb.shape[1] or top + height == rgb.shape[0]
        if beyond and np.hypot(width, height) > LONG * wide:
            kept[labels == label] = 1
    for _ in range(round((EYE - NEAR) * wide)):
        kept = np.minimum(cv2.dilate(kept, np.ones((3, 3), np.uint8)), whole)
    return np.asarray(cv2.dilate(kept, np.ones((3, 3), np.uint8)), np.uint8)


def _wider(mask: Mask, pixels: float) -> Mask:
    side = 2 * round(pixels) + 1
    return np.asarray(cv2.dilate(mask, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))), np.uint8)


def without(rgb: Image, mask: Mask) -> Image:
    """The picture with the skin around in its place (Telea 2004)."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not len(rows):
        return rgb
    area = np.s_[max(rows[0] - 8, 0) : rows[-1] + 9, max(columns[0] - 8, 0) : columns[-1] + 9]
    result = rgb.copy()
    hole = cv2.dilate(mask[area], np.ones((5, 5), np.uint8))
    result[area] = cv2.inpaint(rgb[area].copy(), hole.astype(np.uint8), 5, cv2.INPAINT_TELEA)
    return result


def kept(eyes: Atlas, rgb: Image, mask: Mask) -> Atlas:
    """The lids' pictures with it before them again; the open eyes as `rgb` has them."""
    pictures = eyes.pictures.copy()
    height, width = pictures.shape[2:4]
    soft = cv2.GaussianBlur(mask.astype(np.float32), (0, 0), 1.0)
    for eye, (left, top) in enumerate(eyes.at):
        area = np.s_[top : top + height, left : left + width]
        drawn, weight = pictures[eye].astype(np.float32), soft[area][..., None]
        pictures[eye] = (drawn + (rgb[area] - drawn) * weight).round()
        pictures[eye, 0] = rgb[area]
    return Atlas(eyes.at, pictures, eyes.openings)
