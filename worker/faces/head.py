"""How the parts of the picture take part in the head's motion and in the breath: three coarse grids over it."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from worker.faces import landmarks as lm
from worker.faces.curves import ramp
from worker.faces.warp import spline

Grid = NDArray[np.float32]
Mask = NDArray[np.bool_]

SPACING = 16.0
"""Pixels of a 1024-pixel portrait between the nodes."""
STILL = 24.0
"""Of these, how many along the picture's rim never move."""
EDGE = STILL + SPACING
"""Nodes nearer than that to the rim are 0: between nodes the grids are read bilinearly."""
EASE = 20.0
"""So far from these the head's own place begins: what lies between is not torn."""
AROUND = 28.0
"""So far about the head everything moves as the head does: its outline, which is soft, keeps its form."""
LEVEL = 0.65
"""Where between the ears' height (0) and the chin's (1) the head turns: about the skull's base, seen from the front."""
OUTLINE = -0.12
"""How far behind the ears the outline of hair and scarf lies, in half widths of the face."""
BREATH, CARRIED, OUTWARD = 6.0, 1.5, 2.0
"""Pixels of 1024 that a deep breath lifts the shoulders, lifts the head and broadens the chest on each side."""


@dataclass(frozen=True)
class Head:
    """As the fields of `worker.faces.rig.Rig`."""

    spacing: float
    depth: NDArray[np.float16]
    follow: NDArray[np.float16]
    breath: NDArray[np.float16]
    pivot: NDArray[np.float32]


@dataclass(frozen=True)
class _Place:
    """nodes: (rows, columns, 2); person: who is the person, (rows, columns) 0–1; rim: pixels of 1024 to the picture's
    rim; unit: pixels for one of 1024."""

    nodes: Grid
    person: Grid
    rim: Grid
    unit: float
    middle: float
    half: float
    ears: float
    forehead: float
    chin: float


def measured(size: tuple[int, int], mesh: lm.Mesh, alpha: NDArray[np.uint8]) -> Head:
    """size: (width, height) of the portrait; alpha: who of it is the person, (h, w) of 255."""
    place = _place(size, mesh, alpha)
    follow = _follow(place)
    return Head(
        spacing=SPACING * place.unit,
        depth=_depth(place, mesh, alpha).astype(np.float16),
        follow=follow.astype(np.float16),
        breath=_breath(place, follow).astype(np.float16),
        pivot=np.array([place.middle, place.ears + LEVEL * (place.chin - place.ears)], np.float32),
    )


def _place(size: tuple[int, int], mesh: lm.Mesh, alpha: NDArray[np.uint8]) -> _Place:
    width, height = size
    unit = width / 1024
    x, y = (np.arange(int(np.ceil((side - 1) / (SPACING * unit))) + 1) * SPACING * unit for side in size)
    nodes = np.stack(np.meshgrid(x, y), axis=-1).astype(np.float32)
    soft = cv2.blur(alpha, (round(SPACING * unit) | 1,) * 2)
    person = cv2.remap(soft, nodes[..., 0], nodes[..., 1], cv2.INTER_LINEAR, None, cv2.BORDER_REPLICATE) / 255
    across = np.minimum(nodes[..., 0], width - 1 - nodes[..., 0])
    rim = (np.minimum(across, np.minimum(nodes[..., 1], height - 1 - nodes[..., 1])) / unit).astype(np.float32)
    left, right = mesh[lm.CHEEKS[0]], mesh[lm.CHEEKS[1]]
    middle, half = float(left[0] + right[0]) / 2, float(right[0] - left[0]) / 2
    ears, forehead, chin = float(left[1] + right[1]) / 2, float(mesh[lm.FOREHEAD, 1]), float(mesh[lm.CHIN, 1])
    return _Place(nodes, person.astype(np.float32), rim, unit, middle, half, ears, forehead, chin)


def _depth(place: _Place, mesh: lm.Mesh, alpha: NDArray[np.uint8]) -> Grid:
    """The face's own relief, continued as a rounded head to its outline and down the throat."""
    ears = float(mesh[list(lm.CHEEKS), 2].mean())
    face = np.c_[mesh[: lm.COUNT : 3, :2], ears - mesh[: lm.COUNT : 3, 2]]
    known = np.concatenate([face, _outline(place, alpha), _throat(place)])
    known = np.asarray(known / place.unit, np.float32)
    nodes = np.asarray(place.nodes / place.unit, np.float32)
    depth = spline(known[:, :2], known[:, 2:], nodes, 0.01)[..., 0] * place.unit
    floor = 2 * OUTLINE * place.half
    depth = floor + np.logaddexp(0, (depth - floor) / (0.1 * place.half)) * 0.1 * place.half
    return np.asarray(cv2.GaussianBlur(depth.astype(np.float32), (0, 0), 0.8))


def _outline(place: _Place, alpha: NDArray[np.uint8]) -> Grid:
    """(n, 3) x, y, depth: where rays from the head's middle leave the person, from ear to ear over the crown, and once
    more as far beyond."""
    middle = np.array([place.middle, (place.ears + place.forehead) / 2])
    reach = np.arange(place.half, 0.75 * alpha.shape[1], place.unit)
    points = []
    for angle in np.radians(np.arange(-200, 21, 11)):
        way = middle + reach[:, None] * (np.cos(angle), np.sin(angle))
        inside = ((way >= 0) & (way <= np.array(alpha.shape[::-1]) - 1)).all(axis=1)
        x, y = np.rint(way[inside]).astype(int).T
        gone = np.flatnonzero(alpha[y, x] < 128)
        far = float(reach[gone[0]] if len(gone) else reach[inside][-1] if inside.any() else place.half)
        far = min(max(far, 1.1 * place.half), 2.2 * place.half)
        for factor, depth in ((1.0, OUTLINE), (1.4, 2 * OUTLINE)):
            at = middle + factor * far * np.array([np.cos(angle), np.sin(angle)])
            points.append((*at, depth * place.half))
    return np.asarray(points, np.float32)


def _throat(place: _Place) -> Grid:
    """(n, 3): the neck as an upright cylinder, thinner than the head."""
    points = []
    for down in (0.35, 0.9, 1.5, 2.2):
        for aside, depth in ((0.0, 0.42), (-0.65, 0.05), (0.65, 0.05), (-1.5, OUTLINE), (1.5, OUTLINE)):
            points.append((place.middle + aside * place.half, place.chin + down * place.half, depth * place.half))
    return np.asarray(points, np.float32)


def _follow(place: _Place) -> Grid:
    """1 on the head and close about it, 0 on the shoulders and along the rim, smooth between (Laplace's equation)."""
    x, y = place.nodes[..., 0], place.nodes[..., 1]
    tall = place.chin - place.forehead
    head = (place.person > 0.3) & (y < place.chin - 0.1 * tall)
    size = 2 * round(AROUND / SPACING) + 1
    head = cv2.dilate(head.astype(np.uint8), np.ones((size, size), np.uint8)) > 0
    head &= (y < place.chin - 0.02 * tall) & (place.rim >= EDGE + EASE)
    base = place.chin + 0.5 * tall
    drop = np.clip((np.abs(x - place.middle) - 0.7 * place.half) / place.half, 0, 1)
    body = (place.person > 0.5) & (y > base - drop * 0.3 * tall)
    still = body | (place.rim < EDGE) | (y > base + 0.1 * tall)
    follow = _between(head, still)
    return np.asarray(follow * ramp(place.rim, EDGE, EDGE + SPACING), np.float32)


def _between(one: Mask, zero: Mask) -> Grid:
    """1 and 0 where given, between them what has no bend but there; then slightly rounded."""
    free = ~(one | zero)
    value = one.astype(np.float32)
    for _ in range(400):
        value = np.where(free, cv2.blur(value, (3, 3)), one)
    return np.asarray(cv2.GaussianBlur(value.astype(np.float32), (0, 0), 1.2))


def _breath(place: _Place, follow: Grid) -> Grid:
    """(rows, columns, 2): the shoulders rise and part, the head is lifted a little, the rim stays."""
    still = ramp(place.rim, EDGE, EDGE + 140)
    head = ramp(place.rim, EDGE, EDGE + 2 * SPACING) * CARRIED
    y = place.nodes[..., 1]
    tall = place.chin - place.forehead
    low = ramp(y, place.chin - 0.1 * tall, place.chin + 0.6 * tall)
    aside = np.tanh((place.nodes[..., 0] - place.middle) / (1.5 * place.half))
    lift = head * (1 - low) + BREATH * low * still
    moved = np.stack([OUTWARD * aside * low * still, -lift], axis=-1) * place.unit
    return np.asarray(moved, np.float32)
