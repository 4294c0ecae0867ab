"""Shut eyes for a face that was only seen with open ones.

What makes a shut lid look like one (its bulge, its crease, the lashes) is kept of a measured face as a factor on
plain skin; the plain skin is the new face's own, spread over the eye from around it.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from worker.faces import landmarks as lm
from worker.faces.lids import along_lashes
from worker.faces.warp import remap

Image = NDArray[np.uint8]
Line = NDArray[np.float32]
"""A y for each column."""

REACH = 0.64
"""How far a lid changes the face, in widths of the eye: to both sides of its middle,"""
ABOVE, BELOW = 0.42, 0.17
"""upwards from the shut lid's edge where a measured lid ends, if the brow is not nearer, and downwards."""
FOLD, LEAST = 0.14, 0.10
"""How far above the open lid's edge, in widths of the eye, a lid that is drawn ends, and how far at least
where the brow is near: the folds above stay the face's own."""
EVEN = 0.92
"""Of its greatest height, what it has beside that, up to the brow."""
BROW = 0.05
"""What is left alone below the brow."""
POWER = 2.5
"""Of the superellipse between; 2 would be an ellipse."""
FACTORS = (0.3, 1.28)
"""How much darker (lashes) and lighter (the bulge) than plain skin a lid may be."""
BULGE = 0.35
"""How much of the lid's greater light is kept: the measured ones are smoother and lie in softer light than most."""
GRAIN = 14.0
"""How strong the skin's grain, taken from below the eye, may be, of 255."""
TINGE = 0.4
"""How much of the measured lid's own colour is kept: the new face may be in another light, or in grey."""
SHADES = 48.0
"""How far the skin around an eye may leave its median, of 255: a spectacles' rim, hair and lashes do."""
BENDS = np.linspace(0, 1, 41, dtype=np.float32)


@dataclass(frozen=True)
class Lid:
    """A measured face's shut lid. bend: (41,) how far its edge lies below the open eye's lower lid, from the left to
    the right corner, in widths of the eye.
    factor: (h, w, 3), the lid's colour over plain skin's. left: of it, from the left corner, and wide: the eye's width,
    both in pixels. above: as ABOVE, in each column of `factor`. edge: its edge's row in each column of `factor`.
    """

    bend: Line
    factor: NDArray[np.float32]
    left: float
    wide: float
    above: Line
    edge: Line


@dataclass(frozen=True)
class _Area:
    """The part of a picture that one lid changes: left, top, the columns' places between the eye's corners (0–1),
    the edge's row and how far it reaches above it in each column, and which pixels belong to it."""

    left: int
    top: int
    u: Line
    edge: Line
    wide: float
    above: Line
    inside: NDArray[np.bool_]

    @property
    def window(self) -> tuple[slice, slice]:
        height, width = self.inside.shape
        return slice(self.top, self.top + height), slice(self.left, self.left + width)


def measured(shut: Image, points: lm.Points, shut_at: lm.Points) -> tuple[Lid, Lid]:
    """Both lids of a face seen with open eyes (its landmarks `points`) and with shut ones."""
    edges = along_lashes(shut, shut_at)
    return _measured(shut, points, edges, 0), _measured(shut, points, edges, 1)


def _measured(shut: Image, points: lm.Points, shut_at: lm.Points, eye: int) -> Lid:
    left, right = _corners(points, eye)
    wide = float(right[0] - left[0])
    edge = shut_at[list(lm.EYE_UPPER[eye])]
    x = left[0] + BENDS * wide
    bend = ((np.interp(x, edge[:, 0], edge[:, 1]) - _lower(points, eye, x)) / wide).astype(np.float32)
    area = _area(shut.shape, points, eye, bend)
    plain = _plain(shut, area)
    factor = np.clip((shut[area.window].astype(np.float32) + 1) / (plain + 1), *FACTORS)
    light = factor.mean(axis=2, keepdims=True)
    factor = light + TINGE * (factor - light)
    return Lid(bend, factor, area.left - float(left[0]), wide, area.above, area.edge)


def shut_eyes(rest: Image, points: lm.Points, lids: tuple[Lid, Lid]) -> tuple[Image, lm.Points]:
    """The face with shut eyes, and where its landmarks are then."""
    picture, moved = rest.copy(), points.copy()
    for eye, lid in enumerate(lids):
        area = _area(rest.shape, points, eye, lid.bend, folds=True)
        _draw(picture, rest, lid, area)
        upper = list(lm.EYE_UPPER[eye])
        moved[upper, 1] = np.interp(points[upper, 0], area.left + np.arange(len(area.edge)), area.top + area.edge)
    return picture, moved


def _corners(points: lm.Points, eye: int) -> tuple[lm.Points, lm.Points]:
    line = points[list(lm.EYE_UPPER[eye])]
    return line[0], line[-1]


def _lower(points: lm.Points, eye: int, x: Line) -> Line:
    """The open eye's lower lid: a y for each x, level beyond the corners."""
    line = points[list(lm.EYE_LOWER[eye])]
    return np.interp(x, line[:, 0], line[:, 1]).astype(np.float32)


def _area(shape: tuple[int, ...], points: lm.Points, eye: int, bend: Line, *, folds: bool = False) -> _Area:
    """folds: the area ends above the open lid, below the folds, instead of below the brow."""
    left, right = _corners(points, eye)
    wide = float(right[0] - left[0])
    x0 = max(int(left[0] - (REACH - 0.5) * wide), 0)
    x = np.arange(x0, min(int(right[0] + (REACH - 0.5) * wide) + 1, shape[1]), dtype=np.float32)
    u = (x - left[0]) / wide
    line = _lower(points, eye, x) + np.interp(u, BENDS, bend) * wide
    above = _above(points, eye, x, line, wide) if folds else _measured_above(points, eye, x, line, wide)
    top, bottom = int((line - above * wide).min()) - 2, int(line.max() + BELOW * wide) + 3
    v = (np.arange(top, bottom, dtype=np.float32)[:, None] - line) / wide
    far = np.abs((u - 0.5) / REACH) ** POWER + np.abs(v / np.where(v < 0, above, BELOW)) ** POWER
    return _Area(x0, top, u.astype(np.float32), (line - top).astype(np.float32), wide, above, far < 1)


def _measured_above(points: lm.Points, eye: int, x: Line, line: Line, wide: float) -> Line:
    """ABOVE, or as much as there is room for below the brow; for each column, in widths of the eye."""
    brow = points[list(lm.BROWS_BELOW[eye])]
    inner = slice(len(x) // 5, -(len(x) // 5))
    room = float((line - np.interp(x, brow[:, 0], brow[:, 1]))[inner].min()) / wide - BROW
    return np.full(len(x), np.clip(room, 0.15, ABOVE), np.float32)


def _above(points: lm.Points, eye: int, x: Line, line: Line, wide: float) -> Line:
    """From the shut lid's edge to just above the open lid's, but not up to the brow."""
    lid, brow = points[list(lm.EYE_UPPER[eye])], points[list(lm.BROWS_BELOW[eye])]
    edge, under = np.interp(x, lid[:, 0], lid[:, 1]), np.interp(x, brow[:, 0], brow[:, 1])
    top = np.minimum(np.maximum(under + BROW * wide, edge - FOLD * wide), edge - LEAST * wide)
    above = (line - top) / wide
    above = np.maximum(above, np.minimum(EVEN * above.max(), np.maximum(line - under, 0) / wide))
    soft = cv2.GaussianBlur(above[None].astype(np.float32), (0, 0), 0.06 * wide, borderType=cv2.BORDER_REPLICATE)
    return np.asarray(np.maximum(soft[0], 0.15), np.float32)


def _plain(picture: Image, area: _Area) -> NDArray[np.float32]:
    """Skin spread over the area from around it: the membrane (Laplace's equation) between its rim's colours."""
    around = cv2.GaussianBlur(picture[area.window], (0, 0), 0.03 * area.wide).astype(np.float32)
    inside = area.inside.copy()
    inside[[0, -1]] = inside[:, [0, -1]] = False
    usual = np.median(around[_rim(inside)], axis=0)
    around = usual + np.clip(around - usual, -SHADES, SHADES)
    weight = (~inside).astype(np.float32)[..., None]
    skin = around
    for sigma in (0.5, 0.25, 0.12):
        spread = cv2.GaussianBlur(skin * weight, (0, 0), sigma * area.wide)
        total = cv2.GaussianBlur(weight, (0, 0), sigma * area.wide)[..., None]
        skin = np.where(inside[..., None], spread / np.maximum(total, 1e-6), around)
        weight = np.ones_like(weight)
    for _ in range(200):
        mean = cv2.blur(skin, (3, 3))
        skin = np.where(inside[..., None], mean, around)
    return np.asarray(skin, np.float32)


def _rim(inside: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The pixels just outside."""
    return np.asarray((cv2.dilate(inside.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0) & ~inside)


def _draw(picture: Image, rest: Image, lid: Lid, area: _Area) -> None:
    """Lays plain skin times the lid's factor over the open eye."""
    v = (np.arange(area.inside.shape[0], dtype=np.float32)[:, None] - area.edge) / area.wide
    x = np.broadcast_to(area.u * lid.wide - lid.left, v.shape).astype(np.float32)
    edge = np.interp(x[0], np.arange(len(lid.edge)), lid.edge)
    y = edge + np.where(v < 0, v * (np.interp(x[0], np.arange(len(lid.edge)), lid.above) / area.above), v) * lid.wide
    factor = remap(lid.factor, np.ascontiguousarray(np.stack([x, y.astype(np.float32)], axis=-1)))
    factor = np.where(factor > 1, 1 + BULGE * (factor - 1), factor)
    shut = _plain(rest, area) * factor + _grain(rest, area)
    inner = cv2.distanceTransform(np.pad(area.inside, 1).astype(np.uint8), cv2.DIST_L2, 3)[1:-1, 1:-1]
    soft = np.where(v < 0, 0.10, 0.05) * area.wide
    weight = np.clip(inner / soft, 0, 1)[..., None]
    weight = weight * weight * (3 - 2 * weight)
    open_eye = rest[area.window].astype(np.float32)
    picture[area.window] = (open_eye + (shut - open_eye) * weight + 0.5).clip(0, 255).astype(np.uint8)


def _grain(rest: Image, area: _Area) -> NDArray[np.float32]:
    """The fine texture of the skin below the eye, upside down: as large as the area."""
    height = area.inside.shape[0]
    below = round(float(area.edge.max()) + (BELOW + 0.05) * area.wide) + area.top
    skin = rest[below : below + height // 2, area.window[1]].astype(np.float32)
    if len(skin) < 4:
        return np.zeros((*area.inside.shape, 3), np.float32)
    fine = np.clip(skin - cv2.GaussianBlur(skin, (0, 0), max(0.025 * area.wide, 0.8)), -GRAIN, GRAIN)
    rows = np.abs((np.arange(height) + len(fine)) % (2 * len(fine)) - len(fine))
    return np.asarray(fine[np.minimum(rows, len(fine) - 1)], np.float32)
