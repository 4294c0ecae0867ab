"""The opening between the lips of a frame, and where the inner lips really are.

The landmark model places the inner lips of an open mouth only to about a tenth of the mouth's width; a picture shows
them sharply: what is inside is much darker than the lips, or hardly coloured (teeth).
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from worker.faces import landmarks as lm

Image = NDArray[np.uint8]
Mask = NDArray[np.uint8]

DARK = 0.62
"""Of the lips' light: below are the mouth's depth, gums and the palate."""
PALE = 0.55
"""Of the lips' colourfulness (red less blue, over red): below are teeth."""
AGREES = 0.5
"""The least overlap (intersection over union) of what the picture shows with what the landmarks say."""


def opening(rgb: Image, points: lm.Points) -> Mask:
    """(h, w) 0 or 1: what is seen between the parted lips, all of it."""
    told = said(rgb.shape[:2], points)
    seen = _seen(rgb, points, told)
    both, either = int((seen & told).sum()), int((seen | told).sum())
    return seen if both > AGREES * either else told


def said(shape: tuple[int, ...], points: lm.Points) -> Mask:
    """(h, w) 0 or 1: the opening as the landmarks have it."""
    return _filled(shape, _inner(points))


def refined(rgb: Image, points: lm.Points) -> lm.Points:
    """The points, with the inner lips between the corners moved up or down to the rims of the opening."""
    rows = opening(rgb, points)
    result = points.copy()
    for places, last in ((lm.LIP_UPPER_INNER, False), (lm.LIP_LOWER_INNER, True)):
        for place in places[1:-1]:
            found = _rim(rows, float(points[place, 0]), last=last)
            if found is not None:
                result[place, 1] = found
    return result


def _inner(points: lm.Points) -> lm.Points:
    return np.concatenate([points[list(lm.LIP_UPPER_INNER)], points[list(lm.LIP_LOWER_INNER[::-1])]])


def _filled(shape: tuple[int, ...], rim: lm.Points) -> Mask:
    mask = np.zeros(shape, np.uint8)
    cv2.fillPoly(mask, [np.rint(rim).astype(np.int32)], 1)
    return mask


def _seen(rgb: Image, points: lm.Points, said: Mask) -> Mask:
    """The largest patch, near the landmarks' opening, of pixels that are no lips."""
    lips = _filled(rgb.shape[:2], points[[*lm.LIP_UPPER_OUTER, *lm.LIP_LOWER_OUTER[::-1]]])
    half = float(points[lm.CORNERS[1], 0] - points[lm.CORNERS[0], 0]) / 2
    reach = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * max(round(0.06 * half), 1) + 1,) * 2)
    around = (cv2.dilate(said, reach) > 0) & (lips > 0)
    flesh = (cv2.erode(lips, reach) > 0) & ~around
    if not flesh.any():
        return said
    light, colour = _look(rgb)
    level, hue = float(np.median(light[flesh])), float(np.median(colour[flesh]))
    inside = (light < DARK * level) | ((colour < PALE * hue) & (light > 0.7 * level))
    patch = cv2.morphologyEx((inside & around).astype(np.uint8), cv2.MORPH_CLOSE, reach)
    return _largest(np.asarray(cv2.medianBlur(patch.astype(np.uint8), 5), np.uint8))


def _look(rgb: Image) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """The light of each pixel, and how red it is: red less blue, over red."""
    red, blue = rgb[..., 0].astype(np.float32), rgb[..., 2].astype(np.float32)
    return rgb.astype(np.float32).mean(axis=2), np.asarray((red - blue) / np.maximum(red, 1), np.float32)


def _largest(mask: Mask) -> Mask:
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=4)
    if count < 2:
        return mask
    biggest = 1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA]))
    outline, _ = cv2.findContours((labels == biggest).astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    return np.asarray(cv2.drawContours(np.zeros_like(mask), outline, -1, 1, cv2.FILLED), np.uint8)


def _rim(mask: Mask, x: float, *, last: bool) -> float | None:
    """The first or last row of the opening near column x, the mean over five columns; None outside it."""
    column = round(x)
    edges = []
    for place in range(max(column - 2, 0), min(column + 3, mask.shape[1])):
        rows = np.flatnonzero(mask[:, place])
        if len(rows):
            edges.append(rows[-1] + 0.5 if last else rows[0] - 0.5)
    return float(np.mean(edges)) if edges else None
