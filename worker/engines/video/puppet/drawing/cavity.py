"""The inner mouth's picture of one frame, as planes: the plates of `Interior` laid over each other."""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from worker.engines.video.colour import halved, luma_chroma
from worker.engines.video.puppet.drawing.interior import Interior, Layer, Plate
from worker.engines.video.puppet.drawing.sheets import Pixels, padded
from worker.engines.video.puppet.pose import Pose

Part = NDArray[np.float32]

FINE = 8
"""Parts of a pixel that a plate moves by at least; a stretch changes by a quarter of that."""
KEPT = 48
"""Plates in their places, the latest: a jaw comes back to where it was several times a second."""


class _Placed(NamedTuple):
    """A plate where it lies in the picture: the colour (3, h, w) that it adds, and how much (h, w) of what is behind
    shows through."""

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
        depth = _as_planes(np.asarray(interior.depth, np.float32)[None, None])
        self._empty = np.tile(depth.reshape(3, 1, 1), (1, bottom - top, right - left))
        self._picture = self._empty.copy()
        self.pictures = (padded(_split(self._empty)[0]), padded(_split(self._empty)[1]))
        self._placed: dict[tuple[int, ...], _Placed] = {}
        self._plates: dict[int, tuple[Plate, Part]] = {}

    def draw(self, pose: Pose) -> tuple[Pixels, Pixels]:
        """(1, h, w) and (2, h / 2, w / 2); overwritten by the next call."""
        picture = self._picture
        np.copyto(picture, self._empty)
        for layer in self._interior.layers(pose):
            placed = self._place(layer)
            area = picture[:, *placed.area]
            area *= placed.through
            area += placed.colour
        for kept, drawn in zip(self.pictures, _split(picture), strict=True):
            kept[:] = drawn
        return self.pictures

    def _place(self, layer: Layer) -> _Placed:
        """A plate where it was of late is not moved there anew."""
        place = (round(FINE * layer.dx), round(FINE * layer.dy), round(4 * FINE * layer.sy))
        key = (id(layer.plate), *place)
        placed = self._placed.pop(key, None) or self._moved(layer.plate, place)
        self._placed[key] = placed
        if len(self._placed) > KEPT:
            self._placed.pop(next(iter(self._placed)))
        return placed

    def _moved(self, plate: Plate, place: tuple[int, int, int]) -> _Placed:
        part, stretch = self._part(plate), place[2] / (4 * FINE)
        x, y = place[0] / FINE - self.at[0], place[1] / FINE - self.at[1]
        rows, columns = _reach(part, x, y, stretch, self._empty.shape[1:])
        size = (max(columns.stop - columns.start, 0), max(rows.stop - rows.start, 0))
        seen = np.zeros((size[1], size[0], 4), np.float32)
        if all(size):
            move = np.array([[1, 0, x - columns.start], [0, stretch, y - rows.start]], np.float32)
            cv2.warpAffine(part, move, size, seen, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)
        *colour, alpha = np.ascontiguousarray(np.moveaxis(seen, -1, 0))
        return _Placed((rows, columns), np.stack(colour), 1 - alpha)

    def _part(self, plate: Plate) -> Part:
        """(h, w, 4): luma, chroma and alpha, premultiplied, alpha 0 … 1."""
        known = self._plates.get(id(plate))
        if known is None:
            alpha = plate[..., 3:].astype(np.float32) / 255
            black = np.array([16, 128, 128], np.float32)
            colour = _as_planes(plate[..., :3].astype(np.float32)) - black * (1 - alpha)
            whole = np.concatenate([colour, alpha], axis=2).astype(np.float32)
            known = self._plates[id(plate)] = (plate, whole)
        return known[1]


def _as_planes(rgb: Part) -> Part:
    """(h, w, 3) luma and both planes of chroma, at full size."""
    luma, chroma = luma_chroma(rgb)
    return np.concatenate([luma[..., None], chroma], axis=2)


def _split(picture: Part) -> tuple[Pixels, Pixels]:
    """(1, h, w) luma and (2, h / 2, w / 2) chroma, rounded, of (3, h, w)."""
    chroma = np.stack([halved(picture[1]), halved(picture[2])])
    return (picture[:1] + np.float32(0.5)).astype(np.uint8), (chroma + np.float32(0.5)).astype(np.uint8)


def _reach(plate: Part, x: float, y: float, stretch: float, shape: tuple[int, ...]) -> tuple[slice, slice]:
    """Rows and columns of the picture that the plate covers."""
    height, width = plate.shape[:2]
    top, bottom = int(np.floor(y)) - 1, int(np.ceil(y + height * stretch)) + 1
    left, right = int(np.floor(x)) - 1, int(np.ceil(x + width)) + 1
    return slice(max(top, 0), min(bottom, shape[0])), slice(max(left, 0), min(right, shape[1]))
