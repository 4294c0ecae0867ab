"""What landmarks say about a face: how far lips and lids are open, how wide the mouth is, where the head looks.

Indices are MediaPipe's (`worker.faces.landmarks`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Track = NDArray[np.float64]
"""(frames,)."""

_EYES = (33, 263)
_MOUTH = (61, 291)
_INNER_LIPS = ((82, 87), (13, 14), (312, 317))
_RIM = (78, 191, 80, 81, 82, 13, 312, 311, 310, 415, 308, 324, 318, 402, 317, 14, 87, 178, 88, 95)
_LIDS = (((160, 144), (159, 145), (158, 153), (33, 133)), ((385, 380), (386, 374), (387, 373), (362, 263)))
_UNDER_NOSE, _LOWER_RIM = 2, 17
_FOREHEAD, _CHIN, _CHEEKS = 10, 152, (234, 454)
BLINK = 0.4
"""Lids are shut below this share of their usual opening."""


@dataclass(frozen=True)
class Face:
    """gap: between the inner lips, in widths of the mouth in the first frame; 0 is shut. opening: the area between
    them, in squares of that width: rounded lips leave less of it open. width: the mouth's, against the first frame's.
    All are measured against the distance of the eyes' outer corners, so that a head that comes nearer changes nothing.

    The mesh is not linear. Lips that are open by less than about a thirtieth of the mouth's width count as shut, and
    from there on the gap jumps to a tenth, where it stays until the lips are apart by as much; beyond it is true. A
    mouth that is opened evenly therefore scores r = 0.98 with its own opening, not 1.

    lower: how far the lower lip's outer rim is below the nose, against the first frame; unlike the gap it tells a lip
    that touches the teeth from one that hangs. lids: opening of both eyes, against its median. yaw, pitch, roll:
    degrees from the first frame's."""

    gap: Track
    opening: Track
    width: Track
    lower: Track
    lids: Track
    yaw: Track
    pitch: Track
    roll: Track

    @property
    def blinks(self) -> int:
        shut = self.lids < BLINK
        return int(np.count_nonzero(shut[1:] & ~shut[:-1]))


def measured(mesh: NDArray[np.float32]) -> Face:
    """mesh: (frames, 478, 3), pixels."""
    points = mesh.astype(np.float64)
    eyes = _between(points, *_EYES)
    mouth = _between(points, *_MOUTH) / eyes
    gaps = np.mean([_below(points, upper, lower) for upper, lower in _INNER_LIPS], axis=0) / eyes
    lower = _below(points, _UNDER_NOSE, _LOWER_RIM) / eyes
    return Face(
        gap=np.maximum(gaps, 0) / mouth[0],
        opening=_area(points, _RIM) / eyes**2 / mouth[0] ** 2,
        width=mouth / mouth[0],
        lower=lower / lower[0],
        lids=_lids(points),
        yaw=_turned(_angle(points, *_CHEEKS, (0, 2))),
        pitch=_turned(_angle(points, _FOREHEAD, _CHIN, (1, 2))),
        roll=_turned(_angle(points, *_EYES, (0, 1))),
    )


def _between(points: NDArray[np.float64], one: int, other: int) -> Track:
    """Pixels between two landmarks, seen from the front."""
    return np.asarray(np.linalg.norm(points[:, one, :2] - points[:, other, :2], axis=1))


def _below(points: NDArray[np.float64], upper: int, lower: int) -> Track:
    """Pixels by which `lower` lies below `upper` along the face's own axis; negative where they overlap."""
    along = points[:, _EYES[1], :2] - points[:, _EYES[0], :2]
    down = np.stack([-along[:, 1], along[:, 0]], axis=1) / np.linalg.norm(along, axis=1)[:, None]
    return np.asarray(((points[:, lower, :2] - points[:, upper, :2]) * down).sum(axis=1))


def _area(points: NDArray[np.float64], rim: tuple[int, ...]) -> Track:
    """Square pixels within a polygon of landmarks (shoelace formula)."""
    x, y = points[:, rim, 0], points[:, rim, 1]
    return np.asarray(np.abs((x * np.roll(y, -1, axis=1) - y * np.roll(x, -1, axis=1)).sum(axis=1)) / 2)


def _lids(points: NDArray[np.float64]) -> Track:
    """Height over width (eye aspect ratio, Soukupová and Čech 2016), both eyes, against its median."""
    ratios = []
    for *pairs, corners in _LIDS:
        heights = np.mean([np.maximum(_below(points, *pair), 0) for pair in pairs], axis=0)
        ratios.append(heights / _between(points, *corners))
    ratio = np.mean(ratios, axis=0)
    return np.asarray(ratio / np.median(ratio))


def _angle(points: NDArray[np.float64], one: int, other: int, axes: tuple[int, int]) -> Track:
    """Degrees of the line between two landmarks in the plane of two axes."""
    line = points[:, other] - points[:, one]
    return np.asarray(np.degrees(np.arctan2(line[:, axes[1]], line[:, axes[0]])))


def _turned(angle: Track) -> Track:
    return np.asarray(angle - angle[0])
