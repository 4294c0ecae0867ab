"""What is worked out of a film of an avatar once: where its face is, what the network sees of it, and the masks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.errors import VideoError
from worker.engines.video.base import Watch
from worker.engines.video.musetalk.boxes import CONTOUR, box_of
from worker.engines.video.musetalk.ground import Film
from worker.faces.blending import feathered, jaw, middle, square
from worker.faces.crops import Box, Place, cut
from worker.faces.tracking import Found, filled, steadied

CHUNK = 8
"""Faces that are shown to the network at once; between two the watch is called."""
_VISIBLE = 0.75
_RIM = 8
"""Pixels about a box that its crop's interpolation may look at; even."""


@dataclass(frozen=True)
class Prepared:
    """One row a frame of the film.

    boxes: (n, 4) left, top, right, bottom. corners: (n, 2) left and top, even, of the place that a face is put into.
    alphas: (n, h, w), h and w even: how much of the place is redrawn, of 255. latents: (n, 8, side / 8, side / 8).
    """

    boxes: NDArray[np.float32]
    corners: NDArray[np.int32]
    alphas: NDArray[np.uint8]
    latents: NDArray[np.float32]

    def box(self, number: int) -> Box:
        return Box(*(float(edge) for edge in self.boxes[number]))

    def place(self, number: int) -> Place:
        left, top = (int(edge) for edge in self.corners[number])
        return Place(left, top, self.alphas.shape[2], self.alphas.shape[1])


def prepared(
    film: Film,
    found: Found,
    side: int,
    latents: Callable[[NDArray[np.uint8]], NDArray[np.float32]],
    watch: Watch,
) -> Prepared:
    """found: the face in each frame of the film, where it was seen. latents: as `Networks.latents`; side: of its faces.
    Frames without a face take that of the nearest one, in every row alike. Raises VideoError."""
    if len(found.points) != len(film):
        raise VideoError(f"a film of {len(film)} frames, of which {len(found.points)} were looked at")
    points = film.fit.points(steadied(filled(found.points)), found.size)
    if not _shown_whole(points, film.size):
        raise VideoError("the canvas shows too little of the face in the film of the avatar", refused=True)
    boxes = [box_of(each, film.size) for each in points]
    kernel = square(max(boxes, key=lambda box: box.height)).kernel
    places = _places(boxes, film.size, kernel)
    alphas = [
        feathered(jaw(each[list(CONTOUR)], box, place), box, place, kernel)
        for each, box, place in zip(points, boxes, places, strict=True)
    ]
    shown = []
    for begin in range(0, len(film), CHUNK):
        watch(0.0)
        numbers = range(begin, min(begin + CHUNK, len(film)))
        shown.append(latents(np.stack([_shown(film, number, boxes[number], side) for number in numbers])))
    corners = np.array([(place.left, place.top) for place in places], np.int32)
    return Prepared(np.array(boxes, np.float32), corners, np.stack(alphas), np.concatenate(shown))


def _shown_whole(points: NDArray[np.float32], size: tuple[int, int]) -> bool:
    """Whether most of the face's contour lies within the canvas, which cuts films of another shape."""
    contour = points[:, list(CONTOUR)]
    inside = ((contour > 0) & (contour < np.array(size))).all(axis=2)
    return bool(inside.mean() > _VISIBLE)


def _shown(film: Film, number: int, box: Box, side: int) -> NDArray[np.uint8]:
    """The face's crop, of which no more than its surroundings are put into RGB."""
    left, top = max(int(box.left) // 2 * 2 - _RIM, 0), max(int(box.top) // 2 * 2 - _RIM, 0)
    right, bottom = (
        min(int(box.right) // 2 * 2 + _RIM, film.size[0]),
        min(int(box.bottom) // 2 * 2 + _RIM, film.size[1]),
    )
    part = film.rgb(number, Place(left, top, right - left, bottom - top))
    return cut(part, Box(box.left - left, box.top - top, box.right - left, box.bottom - top), side)


def _places(boxes: list[Box], size: tuple[int, int], kernel: int) -> list[Place]:
    """One about each box's lower half, as far as masks reach; all of one size, of whole pixels of chroma, within the
    picture."""
    tops = [max(int(middle(box)) - kernel // 2, int(box.top)) for box in boxes]
    width = min(size[0], 2 * int(max(box.width for box in boxes) / 2 + 2))
    height = min(size[1], 2 * int(max(box.bottom - top for box, top in zip(boxes, tops, strict=True)) / 2 + 2))
    return [
        Place(min(int(box.left) // 2 * 2, size[0] - width), min(top // 2 * 2, size[1] - height), width, height)
        for box, top in zip(boxes, tops, strict=True)
    ]
