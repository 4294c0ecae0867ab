"""Where the irises are and how an eye's pixels follow them."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from worker.faces import landmarks as lm
from worker.faces.curves import smooth
from worker.faces.lids import Atlas

RADIUS = (0.16, 0.27)
"""The least and the greatest radius of an iris in widths of the eye: 5.9 mm of 30 mm are usual."""
MIDDLE = 0.2
"""How far from the eye's corners, in its widths, an iris' middle lies at least."""
WHOLE = 1.12
"""The iris and its dark ring follow whole, up to so many of its radii."""
STILL, LID = 0.015, 0.06
"""In widths of the eye: how far from the lids nothing follows, and within how much more all does."""


def irises(mesh: lm.Mesh) -> NDArray[np.float32]:
    """(2, 3): x, y and radius of each iris, the viewer's left eye first.

    Both get the radius that is the mean of the two, kept to what eyes have; a middle that lies outside is drawn in.
    """
    found = []
    for (middle, *rim), upper, lower in zip(lm.IRISES, lm.EYE_UPPER, lm.EYE_LOWER, strict=True):
        corners, edge = mesh[[upper[0], upper[-1]], 0], mesh[[*upper[3:6], *lower[3:6]], 1]
        wide = float(np.ptp(corners))
        radius = float(np.median(np.linalg.norm(mesh[rim, :2] - mesh[middle, :2], axis=1))) / wide
        x = np.clip(mesh[middle, 0], corners.min() + MIDDLE * wide, corners.max() - MIDDLE * wide)
        found.append((x, np.clip(mesh[middle, 1], edge.min(), edge.max()), radius, wide))
    places = np.array(found, np.float32)
    radius = np.clip(places[:, 2].mean(), *RADIUS) * places[:, 3].mean()
    return np.column_stack([places[:, :2], np.full(2, radius)]).astype(np.float32)


def following(atlas: Atlas, iris: NDArray[np.float32]) -> NDArray[np.uint8]:
    """(2, steps, h, w): as `Rig.gaze`.

    The iris follows whole; the white between it and the eye's corners stretches, and the lids stay.
    """
    weights: NDArray[np.uint8] = np.zeros(atlas.pictures.shape[:4], np.uint8)
    height, width = atlas.pictures.shape[2:4]
    x, y = np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32)[:, None]
    for eye, steps in enumerate(atlas.openings):
        middle, radius = iris[eye, 0] - atlas.at[eye, 0], WHOLE * iris[eye, 2]
        first, last = _corners(steps[0])
        wide = last - first
        aside = np.abs(x - middle) - radius
        room = np.where(x < middle, middle - first, last - middle) - radius
        across = smooth(1 - aside / np.maximum(room, 1)).astype(np.float32)
        for step, edges in enumerate(steps):
            inside = ((y > edges[0]) & (y < edges[1])).astype(np.uint8)
            far = cv2.distanceTransform(np.pad(inside, 1), cv2.DIST_L2, 5)[1:-1, 1:-1]
            weights[eye, step] = np.rint(255 * across * np.clip((far - STILL * wide) / (LID * wide), 0, 1))
    return weights


def _corners(opening: NDArray[np.float32]) -> tuple[float, float]:
    """The first and the last column of a patch between whose lids there is anything."""
    seen = np.flatnonzero(opening[1] - opening[0] > 1)
    return (float(seen[0]), float(seen[-1])) if len(seen) else (0.0, float(opening.shape[1] - 1))
