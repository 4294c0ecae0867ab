"""The closed mouth: its seam, and the colour of its lips."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from worker.faces import landmarks as lm

Image = NDArray[np.uint8]


def seam(rgb: Image, rest: lm.Points) -> lm.Points:
    """The dark line between the closed lips, a point a pixel from corner to corner.

    Searched in each column near the landmarks' line, then smoothed, and pinned to the corners.
    """
    left, right = rest[lm.CORNERS[0]], rest[lm.CORNERS[1]]
    inner = (rest[list(lm.LIP_UPPER_INNER)] + rest[list(lm.LIP_LOWER_INNER)]) / 2
    line = np.concatenate([left[None], inner, right[None]])
    x = np.arange(np.floor(left[0]), np.ceil(right[0]) + 1, dtype=np.float32)
    guess = np.interp(x, line[:, 0], line[:, 1])
    grey = cv2.GaussianBlur(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY), (0, 0), 1.0)
    reach = np.arange(-7, 8)
    rows = np.clip(np.rint(guess)[:, None] + reach, 0, rgb.shape[0] - 1).astype(int)
    darkness = grey[rows, x.astype(int)[:, None]].astype(np.float32) + 0.6 * np.abs(reach)
    y = rows[np.arange(len(x)), np.argmin(darkness, axis=1)].astype(np.float32)
    y = cv2.medianBlur(y[None], 5)[0]
    ends = np.interp(x, [left[0], right[0]], [left[1], right[1]])
    pinned = np.clip(1.5 - np.minimum(x - x[0], x[-1] - x) / (0.05 * (x[-1] - x[0])), 0, 1)
    y = cv2.GaussianBlur((y + (ends - y) * pinned)[None], (0, 0), 3.0, borderType=cv2.BORDER_REPLICATE)[0]
    return np.stack([x, y], axis=1).astype(np.float32)


def settled(points: lm.Points, line: lm.Points) -> lm.Points:
    """The landmarks of closed lips, with the inner lips on the seam's line."""
    result = points.copy()
    for place in (*lm.LIP_UPPER_INNER, *lm.LIP_LOWER_INNER):
        result[place, 1] = np.interp(points[place, 0], line[:, 0], line[:, 1])
    return result


def flesh(rgb: Image, points: lm.Points) -> NDArray[np.float32]:
    """(2, 3) RGB: the lips' colour in the left and in the right half, between their inner and their outer rim."""
    small = cv2.GaussianBlur(rgb, (0, 0), 2.0)
    sides = (((39, 81), (40, 80), (181, 178)), ((269, 311), (270, 310), (405, 402)))
    middles = [np.rint([points[list(pair)].mean(axis=0) for pair in side]).astype(int) for side in sides]
    return np.stack([np.median(small[at[:, 1], at[:, 0]], axis=0) for at in middles]).astype(np.float32)
