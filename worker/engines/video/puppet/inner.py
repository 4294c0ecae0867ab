"""What shows between the lips: the cavity, the tongue and the two rows of teeth."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from worker.engines.video.puppet.pose import INDEX, Pose
from worker.faces.rig import Rig
from worker.faces.warp import remap

CAVITY = np.array([40, 13, 12], np.float32)
"""RGB of the mouth's depth: dark red, never quite black."""


class InnerMouth:
    """Plates at the texture's scale; the upper teeth rest on the skull, lower teeth and tongue on the jaw."""

    def __init__(self, rig: Rig, scale: float) -> None:
        self._scale = scale
        self._half = rig.mouth_half * scale
        self._middle = (float(rig.seam[0, 0] + rig.seam[-1, 0]) / 2 + 0.5) * scale - 0.5
        self._line = (float(rig.seam[:, 1].mean()) + 0.5) * scale - 0.5
        self._at = ((rig.teeth_at + 0.5) * scale - 0.5).astype(np.float32)
        self._upper, self._lower = (_resized(plate, scale) for plate in (rig.teeth_upper, rig.teeth_lower))
        self._travel = float(rig.jaw_travel) * scale
        self._taken = float(rig.teeth_jaw) * scale
        self._tongue = rig.tongue.astype(np.float32)

    def draw(self, at: NDArray[np.float32], depth: NDArray[np.float32], pose: Pose) -> NDArray[np.float32]:
        """(h, w, 3) RGB as float. at: (h, w, 2) the skull's texture pixel seen at each place; depth: (h, w) pixels
        below the upper lip's rim."""
        drop = self._travel * float(pose.muscles[INDEX["jaw"]]) + self._taken * float(pose.muscles[INDEX["wide"]])
        picture = np.empty((*at.shape[:2], 3), np.float32)
        picture[:] = CAVITY
        self._lay_tongue(picture, at, drop, pose.tongue)
        jaw = np.array([0, drop - self._taken], np.float32)
        _lay(picture, self._lower, at - self._at - jaw, 1.0)
        _lay(picture, self._upper, at - self._at, 1.10)
        light = self._light(at, depth) * (1 - 0.7 * float(np.clip(pose.muscles[INDEX["round"]], 0, 1)))
        return np.minimum(CAVITY + (picture - CAVITY) * light[..., None], 255).astype(np.float32)

    def _lay_tongue(self, picture: NDArray[np.float32], at: NDArray[np.float32], drop: float, raised: float) -> None:
        """An ellipse with a soft rim, brighter on its back; its tip rises towards the upper teeth."""
        half = self._half
        u = (at[..., 0] - self._middle) / (0.62 * half)
        top = self._line + 0.10 * half + 0.62 * drop - raised * (0.03 * half + 0.5 * drop)
        v = (at[..., 1] - top) / (0.34 * half)
        inside = np.clip((1 - u**2 - (v - 1) ** 2) * 2.2, 0, 1)
        light = np.clip(0.55 + 0.35 * (1 - v) + 0.3 * raised, 0.35, 1.0)
        groove = 1 - 0.18 * np.exp(-((u / 0.12) ** 2))
        colour = self._tongue * (light * groove)[..., None]
        picture += (colour - picture) * inside[..., None]

    def _light(self, at: NDArray[np.float32], depth: NDArray[np.float32]) -> NDArray[np.float32]:
        """The upper lip throws a shadow, and it is darker towards the corners."""
        shadow = 0.70 + 0.30 * np.clip(depth / (0.14 * self._half), 0, 1)
        side = np.abs(at[..., 0] - self._middle) / self._half
        return np.asarray(shadow * np.clip(1.25 - 0.6 * side**2, 0.35, 1), np.float32)


def _resized(plate: NDArray[np.uint8], scale: float) -> NDArray[np.uint8]:
    size = (max(1, round(plate.shape[1] * scale)), max(1, round(plate.shape[0] * scale)))
    return cv2.resize(plate, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC).astype(np.uint8)


def _lay(picture: NDArray[np.float32], plate: NDArray[np.uint8], at: NDArray[np.float32], gain: float) -> None:
    """A premultiplied RGBA plate over the picture."""
    seen = remap(plate, at, rim=cv2.BORDER_CONSTANT)
    picture *= 1 - seen[..., 3:].astype(np.float32) / 255
    picture += seen[..., :3] * np.float32(gain)
