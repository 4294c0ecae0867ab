"""From landmarks to the displacement fields of the muscles.

Two muscles are measured (`jaw` and `wide`, from renders or photographs of the same face with the mouth open and with
the teeth bared), the others are modelled on the face's own proportions: u is the distance from the mouth's middle in
half widths of the mouth, v the distance from the lips' seam, down is positive.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from worker.faces import landmarks as lm
from worker.faces.curves import ramp
from worker.faces.rig import MUSCLES
from worker.faces.warp import spline

SMOOTH = 0.08
JAW_OPENING = 0.75
"""The parting of the lips at jaw = 1, in half widths of the mouth."""
LAP = 0.03
"""How far each lip goes beyond the seam at press = 1, in half widths of the mouth."""
RAISED, RAISED_ABOVE = 0.30, 0.95
"""How far the brows go up at brow = 1, some 8 mm, and how far above them the forehead still moves, both in half widths
of the mouth."""
KNITTED = 0.35
"""How far they come down at knit = 1, over how far they go up at brow = 1."""


@dataclass(frozen=True)
class Mouth:
    """The closed mouth: its seam (n, 2) from corner to corner, its middle and half its width."""

    seam: lm.Points

    @property
    def half(self) -> float:
        return float(self.seam[-1, 0] - self.seam[0, 0]) / 2

    @property
    def middle(self) -> float:
        return float(self.seam[-1, 0] + self.seam[0, 0]) / 2

    def line(self, x: NDArray[np.float32]) -> NDArray[np.float32]:
        """The seam's y at x; level beyond the corners."""
        return np.interp(x, self.seam[:, 0], self.seam[:, 1]).astype(np.float32)

    def uv(self, points: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        u = (points[..., 0] - self.middle) / self.half
        return u.astype(np.float32), ((points[..., 1] - self.line(points[..., 0])) / self.half).astype(np.float32)


@dataclass(frozen=True)
class Face:
    """The resting landmarks and what is known of how they move: `opened` and `bared` are the displacements (468, 2)
    to the open mouth and to bared teeth."""

    rest: lm.Points
    mouth: Mouth
    opened: lm.Points
    bared: lm.Points

    def move(self, muscle: str) -> lm.Points:
        """(468, 2): where each landmark goes when the muscle pulls fully."""
        if muscle == "jaw":
            return self._jaw()
        if muscle == "wide":
            return self._measured(self.bared)
        u, v = self.mouth.uv(self.rest)
        if muscle in _BROWS:
            return _BROWS[muscle](self)
        return (_SHAPES[muscle](u, v, self._below()) * self.mouth.half).astype(np.float32)

    def _jaw(self) -> lm.Points:
        shift = self._measured(self.opened)
        parted = shift[14, 1] - shift[13, 1]
        return np.asarray(shift * (JAW_OPENING * self.mouth.half / parted), np.float32)

    def _measured(self, shift: lm.Points) -> lm.Points:
        """The displacement below the nose's tip, fading out up to the eyes: above is the detector's noise."""
        eyes = float(self.rest[list(lm.EYE_LOWER[0] + lm.EYE_LOWER[1]), 1].max())
        return shift * _ramp(self.rest[:, 1], eyes, float(self.rest[lm.NOSE, 1]))

    def _below(self) -> NDArray[np.bool_]:
        return is_lower(self.rest, self.mouth)


def is_lower(points: lm.Points, mouth: Mouth) -> NDArray[np.bool_]:
    """Which landmarks lie below the seam; those of the lips, which may be as thin as the seam is certain, by name."""
    below = points[:, 1] > mouth.line(points[:, 0])
    for lower, rims in ((False, _UPPER_LIP), (True, _LOWER_LIP)):
        below[[place for rim in rims for place in rim]] = lower
    return below


_UPPER_LIP = (lm.LIP_UPPER_INNER[1:-1], lm.LIP_UPPER_OUTER[1:-1], *lm.LIP_UPPER_RINGS)
_LOWER_LIP = (lm.LIP_LOWER_INNER[1:-1], lm.LIP_LOWER_OUTER[1:-1], *lm.LIP_LOWER_RINGS)


Shape = Callable[[NDArray[np.float32], NDArray[np.float32], NDArray[np.bool_]], NDArray[np.float32]]


def _bell(x: NDArray[np.float32], width: float, power: float = 2) -> NDArray[np.float32]:
    return np.exp(-((np.abs(x) / width) ** power)).astype(np.float32)


def _arch(u: NDArray[np.float32]) -> NDArray[np.float32]:
    """1 in the mouth's middle, 0 at the corners and beyond."""
    return np.clip(1 - u**2, 0, 1)


def _round(u: NDArray[np.float32], v: NDArray[np.float32], below: NDArray[np.bool_]) -> NDArray[np.float32]:
    """A small, round mouth: the corners come in and the lips there, thin at rest, become as full as in the middle."""
    out = np.maximum(np.abs(u) - 1, 0)
    across = -u * (0.42 * _bell(out, 0.5) * _bell(v, 0.85))
    far = np.asarray(np.abs(u), np.float32)
    fuller = (
        0.18 * _bell(u, 0.3) - 0.16 * _bell(far - np.float32(0.55), 0.2) + 0.85 * _bell(far - np.float32(0.92), 0.17)
    )
    full = v * fuller * _bell(v, 0.5) * (1 - _bell(v, 0.2))  # the crease between the lips stays thin
    corners = 0.05 * u**2 * _bell(out, 0.3) * _bell(v, 0.5)
    return np.stack([across, full + corners], axis=-1)


def _press(u: NDArray[np.float32], v: NDArray[np.float32], below: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Thinner lips, that lap over each other where they meet: of the crease between them less is seen."""
    lapped = np.where(below, -LAP, LAP) * _arch(u) * _bell(v, 0.3)
    return np.stack([0 * u, lapped - 0.30 * v * _bell(u, 1.0, 4) * _bell(v, 0.5)], axis=-1)


def _tuck(u: NDArray[np.float32], v: NDArray[np.float32], below: NDArray[np.bool_]) -> NDArray[np.float32]:
    raised = -0.10 * _arch(u) * _bell(np.minimum(v, 0), 0.45)
    tucked = -(0.03 + 0.28 * np.clip(v, 0, 0.45)) * _arch(u / 1.15) * _bell(np.maximum(v - 0.3, 0), 0.5)
    return np.stack([-0.04 * u * _bell(u, 1.2, 4) * _bell(v, 0.6), np.where(below, tucked, raised)], axis=-1)


def _upper(u: NDArray[np.float32], v: NDArray[np.float32], below: NDArray[np.bool_]) -> NDArray[np.float32]:
    return np.stack([0 * u, np.where(below, 0, -0.16 * _arch(u) * _bell(v, 0.5))], axis=-1)


def _lower(u: NDArray[np.float32], v: NDArray[np.float32], below: NDArray[np.bool_]) -> NDArray[np.float32]:
    return np.stack([0 * u, np.where(below, 0.20 * _arch(u) * _bell(v, 0.7), 0)], axis=-1)


def _smile(u: NDArray[np.float32], v: NDArray[np.float32], below: NDArray[np.bool_]) -> NDArray[np.float32]:
    near = _bell(np.maximum(np.abs(u) - 1, 0), 0.6) * _bell(v, 0.9)
    return np.stack([0.13 * u * near, -0.19 * u**2 * near], axis=-1)


def _sad(u: NDArray[np.float32], v: NDArray[np.float32], below: NDArray[np.bool_]) -> NDArray[np.float32]:
    near = _bell(np.maximum(np.abs(u) - 1, 0), 0.5) * _bell(v, 0.8)
    return np.stack([0 * u, 0.11 * u**2 * near], axis=-1)


def _cheek(u: NDArray[np.float32], v: NDArray[np.float32], below: NDArray[np.bool_]) -> NDArray[np.float32]:
    near = _bell((np.abs(u) - 1.35).astype(np.float32), 0.6) * _bell(v + 1.25, 0.8)
    return np.stack([0 * u, -0.16 * near], axis=-1)


_SHAPES: dict[str, Shape] = {
    "round": _round,
    "press": _press,
    "tuck": _tuck,
    "upper": _upper,
    "lower": _lower,
    "smile": _smile,
    "sad": _sad,
    "cheek": _cheek,
}


def _lift(face: Face, inner: bool) -> lm.Points:
    """The brows go up by `RAISED`, the forehead below the hair's line and the lids a little with them; their inner
    ends alone where `inner`. Less towards the temples, where hair or a scarf may begin."""
    shift, half = np.zeros_like(face.rest), face.mouth.half
    x, y = face.rest[:, 0], face.rest[:, 1]
    brow, lid = (_across(face, *sides) for sides in (lm.BROWS, lm.EYE_UPPER))
    down = _ramp(y - brow, -RAISED_ABOVE * half, -0.05 * half) * (1 - _ramp((y - brow) / (lid - brow), 0.1, 1.1))
    u = np.abs(x - face.mouth.middle) / half
    side = _bell(u, 0.95, 3)[:, None] if inner else 1 - 0.75 * _ramp(u, 1.5, 2.5)
    shift[:, 1] = -RAISED * half * (down * side)[:, 0]
    return shift


def _across(face: Face, *sides: tuple[int, ...]) -> NDArray[np.float32]:
    """The line through both sides' points, level between and beyond them: its y at every landmark's x."""
    points = face.rest[[place for side in sides for place in side]]
    order = np.argsort(points[:, 0])
    return np.asarray(np.interp(face.rest[:, 0], points[order, 0], points[order, 1]), np.float32)


def _knit(face: Face) -> lm.Points:
    """The brows come down and, at their inner ends, towards each other."""
    shift = -KNITTED * _lift(face, inner=False)
    u = (face.rest[:, 0] - face.mouth.middle) / face.mouth.half
    shift[:, 0] = -np.sign(u) * np.abs(shift[:, 1]) * _bell(u, 0.8)
    return shift


_BROWS: dict[str, Callable[[Face], lm.Points]] = {
    "brow": lambda face: _lift(face, inner=False),
    "worry": lambda face: _lift(face, inner=True),
    "knit": _knit,
}


def fields(face: Face, nodes: NDArray[np.float32]) -> tuple[NDArray[np.float16], NDArray[np.float16]]:
    """(muscles, rows, columns, 2) above and below the seam, at the grid's nodes (rows, columns, 2) in pixels.

    Along the seam, from just inside the corners outwards, both sides are the same field: the skin does not tear there.
    """
    shifts = np.stack([face.move(muscle) for muscle in MUSCLES], axis=1)
    u, v = face.mouth.uv(nodes)
    far = np.abs(u)
    beyond = _ramp(far, 1.0, 1.25)
    seam = face.mouth.line(nodes[..., 0])
    above = _side(face, shifts, nodes, np.minimum(nodes[..., 1], seam), beyond, lower=False)
    below = _side(face, shifts, nodes, np.maximum(nodes[..., 1], seam), beyond, lower=True)
    common = above + (below - above) * _ramp(v, -0.6, 0.6)
    parted = 1 - _ramp(far, 0.72, 0.90)
    above, below = common + (above - common) * parted, common + (below - common) * parted
    rim = _rim(nodes)
    return (above * rim).astype(np.float16), (below * rim).astype(np.float16)


def _ramp(x: NDArray[np.float32], start: float, end: float) -> NDArray[np.float32]:
    """`ramp` with a last axis of 1."""
    return ramp(x, start, end)[..., None]


def _side(
    face: Face,
    shifts: NDArray[np.float32],
    nodes: NDArray[np.float32],
    clamped: NDArray[np.float32],
    beyond: NDArray[np.float32],
    *,
    lower: bool,
) -> NDArray[np.float32]:
    """(muscles, rows, columns, 2) of one side; beyond the seam it keeps the seam's own motion (`clamped`).
    shifts: (468, muscles, 2)."""
    u = face.mouth.uv(face.rest)[0]
    mine = (is_lower(face.rest, face.mouth) == lower) | (np.abs(u) > 1.02)
    mine[[78, 308, *lm.CORNERS]] = True
    anchors = _anchors(nodes)
    at = np.concatenate([face.rest[mine], anchors])
    values = np.concatenate([shifts[mine].reshape(-1, 2 * len(MUSCLES)), np.zeros((len(anchors), 2 * len(MUSCLES)))])
    y = clamped * (1 - beyond[..., 0]) + nodes[..., 1] * beyond[..., 0]
    field = spline(at, values.astype(np.float32), np.stack([nodes[..., 0], y], axis=-1), SMOOTH, face.mouth.half)
    return np.moveaxis(field.reshape(*nodes.shape[:2], len(MUSCLES), 2), 2, 0)


def _anchors(nodes: NDArray[np.float32]) -> NDArray[np.float32]:
    """Points around the grid that never move."""
    rows, columns = nodes.shape[:2]
    rim = np.zeros((rows, columns), bool)
    rim[[0, -1], ::8] = True
    rim[::8, [0, -1]] = True
    return nodes[rim]


def _rim(nodes: NDArray[np.float32]) -> NDArray[np.float32]:
    """1 inside, falling to 0 over the outer six nodes."""
    rows, columns = nodes.shape[:2]
    down, across = np.meshgrid(np.arange(rows), np.arange(columns), indexing="ij")
    edge = np.minimum.reduce([down, across, rows - 1 - down, columns - 1 - across])
    return np.asarray(np.clip(edge / 6, 0, 1)[..., None], np.float32)
