"""Draws what shows between the lips, by `Interior`."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from worker.engines.video.puppet.interior import DUSK, Interior, Layer
from worker.engines.video.puppet.pose import Pose
from worker.faces.rig import Rig
from worker.faces.warp import remap


class InnerMouth:
    """The plates of one rig at the texture's scale."""

    def __init__(self, rig: Rig, scale: float) -> None:
        self.interior = Interior(rig, scale)

    def draw(
        self, at: NDArray[np.float32], below: NDArray[np.float32], above: NDArray[np.float32], pose: Pose
    ) -> NDArray[np.float32]:
        """(h, w, 3) RGB as float. at: (h, w, 2) the skull's texture pixel seen at each place; below, above: (h, w)
        pixels below the upper lip's rim and above the lower lip's."""
        picture = np.empty((*at.shape[:2], 3), np.float32)
        depth = picture[:] = self.interior.depth
        for layer in self.interior.layers(pose):
            _lay(picture, layer, at)
        shade, flesh = self.interior.shade(pose), self.interior.flesh
        t = shade.along(at[..., 0])[..., None]
        picture = depth + (picture - depth) * shade.factor(t[..., 0], below, above)[..., None]
        lips = (flesh[0] + (flesh[1] - flesh[0]) * (t + 1) / 2) * DUSK
        picture += (lips - picture) * shade.amount(t[..., 0], below, above)[..., None]
        return np.clip(picture, 0, 255).astype(np.float32)


def _lay(picture: NDArray[np.float32], layer: Layer, at: NDArray[np.float32]) -> None:
    """A premultiplied RGBA plate over the picture."""
    place = (at - np.array([layer.dx, layer.dy], np.float32)) * np.array([1, 1 / layer.sy], np.float32)
    seen = remap(layer.plate, place, rim=cv2.BORDER_CONSTANT).astype(np.float32)
    picture *= 1 - seen[..., 3:] / 255
    picture += seen[..., :3]
