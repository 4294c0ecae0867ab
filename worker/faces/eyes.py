"""Where the irises are and how an eye's pixels follow them."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from worker.faces import landmarks as lm


def irises(mesh: lm.Mesh) -> NDArray[np.float32]:
    """(2, 3): x, y and radius of each iris, the viewer's left eye first."""
    found = []
    for middle, *rim in lm.IRISES:
        radius = np.linalg.norm(mesh[rim, :2] - mesh[middle, :2], axis=1).mean()
        found.append((*mesh[middle, :2], radius))
    return np.array(found, np.float32)


def following(points: lm.Points, lids_at: NDArray[np.int32], lids: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """(2, steps, h, w): as `Rig.gaze`, for the patches `lids` (2, steps, h, w, 3) at `lids_at`."""
    weights = np.zeros(lids.shape[:4], np.uint8)
    for eye in range(2):
        upper, lower = points[list(lm.EYE_UPPER[eye])], points[list(lm.EYE_LOWER[eye])]
        opening = np.zeros(lids.shape[2:4], np.uint8)
        rim = np.concatenate([upper, lower[::-1]]) - lids_at[eye]
        cv2.fillPoly(opening, [np.rint(rim).astype(np.int32)], 1)
        far = cv2.distanceTransform(opening, cv2.DIST_L2, 3) / max(float(np.ptp(upper[:, 0])) * 0.08, 1.0)
        weights[eye, 0] = np.clip(far, 0, 1) * 255
    return weights
