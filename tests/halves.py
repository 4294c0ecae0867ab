"""Half-body pictures: a rendered person without hands (made for this project, as the shipped avatars are), and hands
that are drawn in front of them, well enough for MediaPipe's models."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from core.catalogue import Avatar
from core.settings import HOME

Image = NDArray[np.uint8]
Point = tuple[float, float]

FINER = 4
SKIN, SHADE = np.array([196.0, 148, 118]), np.array([150.0, 100, 76])
SLEEVE, FOLD = (84, 118, 146), (58, 86, 110)
SIZE, LEAN = 140, 0.25
"""Pixels from the wrist to the middle finger's tip; radians that the hands lean outwards."""
WRISTS = ((530.0, 640.0), (238.0, 640.0))
"""The viewer's right one first."""

_FINGERS: tuple[tuple[Point, Point, float], ...] = (
    ((-0.17, -0.12), (-0.42, -0.38), 0.085),
    ((-0.19, -0.46), (-0.27, -0.86), 0.078),
    ((-0.05, -0.50), (-0.07, -0.98), 0.082),
    ((0.08, -0.48), (0.13, -0.90), 0.078),
    ((0.19, -0.42), (0.30, -0.74), 0.066),
)
_PALM: tuple[Point, ...] = (
    (-0.16, 0.02), (-0.22, -0.16), (-0.25, -0.36), (-0.23, -0.47), (-0.05, -0.53), (0.10, -0.51), (0.23, -0.43),
    (0.21, -0.22), (0.15, 0.02),
)  # fmt: skip
_LINES: tuple[tuple[Point, ...], ...] = (
    ((-0.20, -0.36), (-0.08, -0.30), (0.02, -0.30)),
    ((0.19, -0.38), (0.06, -0.36), (-0.05, -0.40)),
    ((-0.10, -0.33), (-0.06, -0.20), (-0.06, -0.06)),
)


@cache
def handless() -> Image:
    """(768, 768, 3) RGB: both arms leave the picture below. Not to be written into."""
    picture = cv2.imread(str(HOME / "tests" / "data" / "half-body.jpg"))
    return cv2.cvtColor(np.asarray(picture), cv2.COLOR_BGR2RGB).astype(np.uint8)


@cache
def half_body(hands: int = 2) -> Image:
    """(768, 768, 3) RGB with so many hands. Not to be written into."""
    fine = cv2.resize(handless(), None, fx=FINER, fy=FINER, interpolation=cv2.INTER_CUBIC)
    for wrist, side in list(zip(WRISTS, (1, -1), strict=True))[:hands]:
        _arm(fine, np.array(wrist), side)
        _Hand(fine, np.array(wrist), side).draw()
    soft = cv2.GaussianBlur(fine, (0, 0), 0.6 * FINER)
    return cv2.resize(soft, (768, 768), interpolation=cv2.INTER_AREA).astype(np.uint8)


def _arm(fine: Image, wrist: NDArray[np.float64], side: int) -> None:
    elbow = np.array([384 + 250 * side, 720.0])
    for colour, wide, shift in ((FOLD, (56, 33), 0), (SLEEVE, (50, 28), -4)):
        for part in np.linspace(0, 1, 61):
            at = (elbow + (wrist - elbow) * part + shift) * FINER
            radius = int((wide[0] * (1 - part) + wide[1] * part) * FINER)
            cv2.circle(fine, _pixel(at), radius, colour, -1, cv2.LINE_AA)


class _Hand:
    """An open palm, its fingers up."""

    def __init__(self, fine: Image, wrist: NDArray[np.float64], side: int) -> None:
        self._fine, self._wrist, self._side = fine, wrist - np.array([2 * side, 6]), side
        self._turn = np.array([[np.cos(LEAN), -np.sin(LEAN) * side], [np.sin(LEAN) * side, np.cos(LEAN)]])

    def draw(self) -> None:
        for base, tip, wide in _FINGERS:
            self._limb(base, tip, 0.62 * wide, SHADE)
        for base, tip, wide in _FINGERS:
            self._limb(base, tip, 0.50 * wide, SKIN)
        self._shape([(1.06 * x, 1.02 * y) for x, y in _PALM], SHADE)
        self._shape(_PALM, SKIN)
        for line in _LINES:
            points = np.array([self._at(point) for point in line], np.int32)
            cv2.polylines(self._fine, [points], False, (0.78 * SKIN).tolist(), 8, cv2.LINE_AA)

    def _at(self, point: Point) -> tuple[int, int]:
        return _pixel((self._turn @ (point[0] * self._side, point[1]) * SIZE + self._wrist) * FINER)

    def _limb(self, base: Point, tip: Point, wide: float, colour: NDArray[np.float64]) -> None:
        for part in np.linspace(0, 1, 21):
            at = (base[0] + (tip[0] - base[0]) * part, base[1] + (tip[1] - base[1]) * part)
            radius = int(wide * SIZE * FINER * (1 - 0.22 * part))
            cv2.circle(self._fine, self._at(at), radius, colour.tolist(), -1, cv2.LINE_AA)

    def _shape(self, points: list[Point] | tuple[Point, ...], colour: NDArray[np.float64]) -> None:
        cv2.fillPoly(self._fine, [np.array([self._at(point) for point in points], np.int32)], colour.tolist())


def _pixel(at: NDArray[np.float64]) -> tuple[int, int]:
    return round(float(at[0])), round(float(at[1]))


def saved(picture: Image, path: Path) -> Path:
    """As a file of the kind that the path's ending says."""
    assert cv2.imwrite(str(path), cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))
    return path


def with_half(avatar: Avatar, folder: Path, picture: Image | None = None) -> Avatar:
    """The avatar with a half-body picture of its own in `folder`; half_body() if none is given."""
    folder.mkdir(parents=True, exist_ok=True)
    saved(half_body() if picture is None else picture, folder / "half.png")
    return Avatar(avatar.id, avatar.name, avatar.voice, avatar.folder, (folder,))
