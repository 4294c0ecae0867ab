"""The film of an avatar that waits, whose mouth is redrawn: decoded once, at the size that is wanted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from core.errors import VideoError
from worker.engines.video import colour
from worker.engines.video.base import Frame, Planes
from worker.engines.video.planes import blank, planes_in
from worker.faces.crops import Place
from worker.faces.tracking import LONGEST

Plane = NDArray[np.uint8]
Triple = tuple[Plane, Plane, Plane]


@dataclass(frozen=True)
class Fit:
    """How a film fills a canvas: scaled, centred, cut where the shapes differ. size: of the scaled film, width and
    height, even; left, top: what is cut away, even."""

    size: tuple[int, int]
    left: int
    top: int

    @classmethod
    def fill(cls, film: tuple[int, int], canvas: tuple[int, int]) -> Fit:
        scale = max(canvas[0] / film[0], canvas[1] / film[1])
        width, height = (max(wanted, 2 * round(own * scale / 2)) for own, wanted in zip(film, canvas, strict=True))
        return cls((width, height), (width - canvas[0]) // 4 * 2, (height - canvas[1]) // 4 * 2)

    def points(self, points: NDArray[np.float32], film: tuple[int, int]) -> NDArray[np.float32]:
        """(…, 2) of the film, in the canvas' pixels."""
        scale = np.array([self.size[0] / film[0], self.size[1] / film[1]], np.float32)
        return points * scale - np.array([self.left, self.top], np.float32)


@dataclass(frozen=True)
class Film:
    """frames: luma (h, w) and two planes of chroma (h / 2, w / 2) each, BT.709, limited range. own: width and height
    of the file's frames."""

    frames: Sequence[Triple]
    size: tuple[int, int]
    own: tuple[int, int]

    def __len__(self) -> int:
        return len(self.frames)

    def copy(self, number: int) -> Planes:
        """A frame to draw into."""
        planes = blank(*self.size)
        for plane, kept in zip((planes.y, planes.u, planes.v), self.frames[number], strict=True):
            plane[:] = kept
        return planes

    def rgb(self, number: int, place: Place) -> Frame:
        """A part of a frame; its edges are even."""
        luma, blue, red = self.frames[number]
        half = np.s_[
            place.top // 2 : (place.top + place.height) // 2, place.left // 2 : (place.left + place.width) // 2
        ]
        whole = np.s_[place.top : place.top + place.height, place.left : place.left + place.width]
        return colour.rgb(luma[whole], blue[half], red[half])

    @property
    def fit(self) -> Fit:
        return Fit.fill(self.own, self.size)


def read_film(path: Path, width: int, height: int) -> Film:
    """The first LONGEST frames of a film at most, as they fill the canvas. Memory: 1.5 bytes a pixel and frame.

    Raises VideoError where the file can't be read or holds no frame."""
    frames: list[Triple] = []
    own = (0, 0)
    try:
        with av.open(str(path)) as container:
            for frame in container.decode(video=0):
                own = (frame.width, frame.height)
                frames.append(_filling(planes_in(_even(frame)), width, height))
                if len(frames) == LONGEST:
                    break
    except (OSError, av.FFmpegError, IndexError) as error:
        raise VideoError(f"{path}: {error}") from error
    if not frames:
        raise VideoError(f"{path} holds no frame")
    return Film(frames, (width, height), own)


def _even(frame: av.VideoFrame) -> av.VideoFrame:
    """With whole pixels of chroma, in the encoder's own format."""
    width, height = (max(2, side // 2 * 2) for side in (frame.width, frame.height))
    if frame.format.name == "yuv420p" and (width, height) == (frame.width, frame.height):
        return frame
    return frame.reformat(width=width, height=height, format="yuv420p")


def _filling(planes: Planes, width: int, height: int) -> Triple:
    fit = Fit.fill((planes.y.shape[1], planes.y.shape[0]), (width, height))
    whole = _part(planes.y, fit.size, fit.left, fit.top, width, height)
    half = (fit.size[0] // 2, fit.size[1] // 2)
    blue, red = (
        _part(plane, half, fit.left // 2, fit.top // 2, width // 2, height // 2) for plane in (planes.u, planes.v)
    )
    return whole, blue, red


def _part(plane: Plane, size: tuple[int, int], left: int, top: int, width: int, height: int) -> Plane:
    if size != (plane.shape[1], plane.shape[0]):
        how = cv2.INTER_AREA if size[0] < plane.shape[1] else cv2.INTER_CUBIC
        plane = np.asarray(cv2.resize(plane, size, interpolation=how), np.uint8)
    return plane[top : top + height, left : left + width].copy()
