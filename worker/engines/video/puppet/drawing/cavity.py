"""The inner mouth's picture of one frame, as planes: the plates of `Interior` laid over each other."""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from worker.engines.video.colour import halved, luma_chroma, planar, rounded
from worker.engines.video.puppet.drawing.interior import Interior, Layer, Plate
from worker.engines.video.puppet.drawing.sheets import padded
from worker.engines.video.puppet.pose import Pose

Part = NDArray[np.float32]


class _Placed(NamedTuple):
    """A plate where it lies in the picture: what it adds, and how much of what is behind it lets through."""

    layer: Plate
    place: tuple[float, ...]
    area: tuple[slice, slice]
    colour: Part
    through: Part


class Cavity:
    """The pictures of luma and chroma, whose first pixel is the texture's `at` (x, y; even)."""

    def __init__(self, interior: Interior, area: tuple[int, int, int, int]) -> None:
        """area: left, top, right, bottom in pixels of the texture, even: as far as the lips may part."""
        self._interior = interior
        left, top, right, bottom = area
        self.at = (left, top)
        size = (bottom - top, right - left)
        luma, chroma = luma_chroma(np.asarray(interior.depth, np.float32)[None, None])
        small = (size[0] // 2, size[1] // 2)
        self._empty = (np.broadcast_to(luma[..., None], (*size, 1)), np.broadcast_to(chroma, (*small, 2)))
        self.pictures = tuple(padded(planar(rounded(part))) for part in self._empty)
        self._placed: dict[tuple[int, int], _Placed] = {}
        self._plates: dict[int, tuple[Plate, tuple[Part, Part]]] = {}

    def draw(self, pose: Pose) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        """(1, h, w) and (2, h / 2, w / 2); overwritten by the next call."""
        layers = self._interior.layers(pose)
        for part in range(2):
            picture = self._empty[part].copy()
            for layer in layers:
                self._lay(picture, layer, part)
            self.pictures[part][:] = np.moveaxis(cv2.convertScaleAbs(picture).reshape(picture.shape), -1, 0)
        return self.pictures[0], self.pictures[1]

    def _lay(self, picture: Part, layer: Layer, part: int) -> None:
        """A premultiplied plate over the picture."""
        placed = self._placed.get((id(layer.plate), part))
        if placed is None or placed.layer is not layer.plate or placed.place != layer[1:]:
            placed = self._placed[id(layer.plate), part] = self._place(layer, part)
        area = picture[placed.area]
        area *= placed.through
        area += placed.colour

    def _place(self, layer: Layer, part: int) -> _Placed:
        """The plate moved and stretched; one that rests on the skull is so once."""
        plate, scale = self._parts(layer.plate)[part], part + 1
        x = (layer.dx - self.at[0]) / scale
        y = (layer.dy - self.at[1] + (layer.sy - 1) * (scale - 1) / 2) / scale
        rows, columns = _reach(plate, x, y, layer.sy, self._empty[part].shape)
        size = (max(columns.stop - columns.start, 0), max(rows.stop - rows.start, 0))
        seen = np.zeros((size[1], size[0], plate.shape[2]), np.float32)
        if all(size):
            move = np.array([[1, 0, x - columns.start], [0, layer.sy, y - rows.start]], np.float32)
            cv2.warpAffine(plate, move, size, seen, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)
        return _Placed(layer.plate, layer[1:], (rows, columns), seen[..., :-1], 1 - seen[..., -1:])

    def _parts(self, plate: Plate) -> tuple[Part, Part]:
        """(h, w, 2) luma and alpha, and (h / 2, w / 2, 3) chroma and alpha, premultiplied, alpha 0 … 1."""
        known = self._plates.get(id(plate))
        if known is None or known[0] is not plate:
            known = self._plates[id(plate)] = (plate, _as_planes(plate))
        return known[1]


def _as_planes(plate: Plate) -> tuple[Part, Part]:
    """A rim of nothing is kept around the plate's halves, so that they line up with the whole."""
    even = cv2.copyMakeBorder(plate, 0, plate.shape[0] % 2, 0, plate.shape[1] % 2, cv2.BORDER_CONSTANT)
    alpha = even[..., 3:].astype(np.float32) / 255
    luma, chroma = luma_chroma(even[..., :3].astype(np.float32))
    whole = np.concatenate([(luma - 16)[..., None] + 16 * alpha, alpha], axis=2)
    small = halved(np.concatenate([(chroma - 128) + 128 * alpha, alpha], axis=2).astype(np.float32))
    return whole.astype(np.float32), small


def _reach(plate: Part, x: float, y: float, stretch: float, shape: tuple[int, ...]) -> tuple[slice, slice]:
    """Rows and columns of the picture that the plate covers."""
    height, width = plate.shape[:2]
    top, bottom = int(np.floor(y)) - 1, int(np.ceil(y + height * stretch)) + 1
    left, right = int(np.floor(x)) - 1, int(np.ceil(x + width)) + 1
    return slice(max(top, 0), min(bottom, shape[0])), slice(max(left, 0), min(right, shape[1]))
