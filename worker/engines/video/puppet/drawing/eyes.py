"""Lids and gaze, drawn into the texture: the eyes' patches of the rig, whose pixels follow the iris."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from worker.engines.video.base import Frame
from worker.engines.video.colour import halved, split
from worker.engines.video.puppet.drawing.view import View
from worker.engines.video.puppet.pose import Pose
from worker.faces.rig import Rig
from worker.faces.warp import remap

EYEBALL = 2.05
"""Radii of the iris from the eyeball's middle to the iris: 12 mm to 5.85 mm."""

FINE = 8
"""Parts of a pixel that the iris moves by at least; smaller shifts are not drawn."""

Box = tuple[slice, slice]


class _Eye:
    """One eye's place in the texture, and for every step of a blink its planes and how they follow the iris."""

    def __init__(self, box: Box, pictures: list[Frame], follows: list[NDArray[np.uint8]], radius: float) -> None:
        """radius: of the iris in pixels of the texture."""
        half = tuple(slice(each.start // 2, each.stop // 2) for each in box)
        self._boxes = (box, (half[0], half[1]))
        self._planes = [split(picture) for picture in pictures]
        weights = [(follow / np.float32(255)).astype(np.float32) for follow in follows]
        self._weights = [(weight, halved(weight)) for weight in weights]
        self._grids = [_grid(planes.shape[1:]) for planes in self._planes[0]]
        self._radius = EYEBALL * radius
        self._shown: tuple[int, int, int] | None = None

    def draw(
        self, textures: tuple[NDArray[np.uint8], NDArray[np.uint8]], lids: float, gaze: tuple[float, float]
    ) -> None:
        x, y = (round(FINE * self._radius * math.sin(math.radians(angle))) for angle in gaze)
        step = round(min(max(lids, 0.0), 1.0) * (len(self._planes) - 1))
        if self._shown == (step, x, y):
            return
        self._shown = (step, x, y)
        for part, texture in enumerate(textures):
            shown = self._planes[step][part]
            if x or y:
                shift = np.array([x, y], np.float32) / (FINE * (part + 1))
                at = np.asarray(self._grids[part] - self._weights[step][part][..., None] * shift, np.float32)
                shown = np.stack([remap(plane, at) for plane in shown])
            texture[:, *self._boxes[part]] = shown


class Eyes:
    """Both eyes of a rig in one view."""

    def __init__(self, rig: Rig, portrait: Frame, view: View) -> None:
        self._eyes = [_eye(rig, portrait, view, eye) for eye in range(2)]

    def draw(self, textures: tuple[NDArray[np.uint8], NDArray[np.uint8]], pose: Pose) -> None:
        """Changes luma and chroma of the texture where the eyes are."""
        for eye in self._eyes:
            eye.draw(textures, pose.lids, pose.gaze)


def _eye(rig: Rig, portrait: Frame, view: View, eye: int) -> _Eye:
    left, top = (int(place) for place in rig.lids_at[eye])
    height, width = rig.lids.shape[2:4]
    area = (slice(top, top + height), slice(left, left + width))
    box = (_even_box(area[0], view.scale, view.size[1]), _even_box(area[1], view.scale, view.size[0]))
    pictures, follows = [], []
    for step in range(rig.lids.shape[1]):
        whole, weight = portrait.copy(), np.zeros(portrait.shape[:2], np.uint8)
        whole[area], weight[area] = rig.lids[eye, step], rig.gaze[eye, step]
        pictures.append(view.scaled(whole)[box])
        follows.append(view.scaled(weight)[box])
    return _Eye(box, pictures, follows, float(rig.iris[eye, 2]) * view.scale)


def _even_box(side: slice, scale: float, length: int) -> slice:
    """A stretch of the portrait in the texture, grown to even pixels."""
    start, stop = 2 * math.floor(side.start * scale / 2), 2 * math.ceil(side.stop * scale / 2)
    return slice(max(start, 0), min(stop, length))


def _grid(shape: tuple[int, ...]) -> NDArray[np.float32]:
    return np.stack(np.meshgrid(np.arange(shape[1]), np.arange(shape[0])), axis=-1).astype(np.float32)
