"""Draws a rig in a pose.

Everything is an inverse map: for each pixel of the canvas, which pixel of the portrait is seen there. Maps are made
on a coarse grid (head motion composed with the inverted expression), enlarged, and the portrait is sampled once. Where
the skin above and the skin below the lips' seam part, the inner mouth shows.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from worker.engines.video.base import Canvas, Frame
from worker.engines.video.puppet.inner import InnerMouth
from worker.engines.video.puppet.pose import INDEX, Pose
from worker.faces.rig import Rig
from worker.faces.warp import inverse, remap, sample

Map = NDArray[np.float32]

PIXELS_PER_NODE = 4
"""Canvas pixels between the nodes of the coarse maps."""


@dataclass(frozen=True)
class View:
    """How the portrait fills the canvas: canvas = portrait x scale - offset, centred, cut where the shapes differ."""

    scale: float
    offset: tuple[float, float]

    @classmethod
    def fill(cls, size: NDArray[np.int32], canvas: Canvas) -> View:
        scale = max(canvas.width / int(size[0]), canvas.height / int(size[1]))
        spare = (int(size[0]) * scale - canvas.width, int(size[1]) * scale - canvas.height)
        return cls(scale, (spare[0] / 2, spare[1] / 2))

    def scaled(self, picture: Frame) -> Frame:
        """A picture of the portrait's size as the texture."""
        size = (round(picture.shape[1] * self.scale), round(picture.shape[0] * self.scale))
        mode = cv2.INTER_AREA if self.scale < 1 else cv2.INTER_CUBIC
        return cv2.resize(picture, size, interpolation=mode).astype(np.uint8)


class Painter:
    """One rig at one size; `draw` may be called for any pose, in any order."""

    def __init__(self, rig: Rig, portrait: Frame, canvas: Canvas) -> None:
        """portrait: (h, w, 3) RGB of the size that the rig was measured on."""
        self._rig, self._canvas = rig, canvas
        self._view = View.fill(rig.size, canvas)
        self._still = self._view.scaled(portrait)
        self._texture = self._still.copy()
        self._lids = self._scaled_lids(portrait)
        self._lid_step = 0
        self._upper = rig.upper.astype(np.float32).reshape(len(INDEX), -1)
        self._lower = rig.lower.astype(np.float32).reshape(len(INDEX), -1)
        rows, columns = rig.upper.shape[1:3]
        self._grid = np.stack(np.meshgrid(np.arange(columns), np.arange(rows)), axis=-1).astype(np.float32)
        self._nodes = self._canvas_nodes()
        self._depth, self._weight = _head(rig, self._nodes)
        self._rows = self._cut_still_rows()
        self._seam = self._seam_distance()
        self._inner = InnerMouth(rig, self._view.scale)
        left, top = (round(side) for side in self._view.offset)
        self._out = self._still[top : top + canvas.height, left : left + canvas.width].copy()

    def draw(self, pose: Pose) -> Frame:
        """(height, width, 3) RGB; overwritten by the next call."""
        self._blink(pose.lids)
        skull = self._turn(pose)
        above, below = self._expression(pose.muscles, skull)
        line = np.interp(skull[..., 0], self._rig.seam[:, 0], self._rig.seam[:, 1])
        nodes = np.where((skull[..., 1] < line)[..., None], above, below)
        moving = self._out[: self._rows]
        remap(self._texture, self._enlarge(nodes, self._canvas.width, self._rows), into=moving)
        self._mouth(pose, skull, above, below)
        return self._out

    def _canvas_nodes(self) -> Map:
        """Portrait pixels seen at the coarse nodes of the canvas, at rest; one node more on each side."""
        step, axes = PIXELS_PER_NODE, []
        for length, offset in zip((self._canvas.width, self._canvas.height), self._view.offset, strict=True):
            pixels = np.arange(-1, math.ceil(length / step) + 1) * step + (step - 1) / 2
            axes.append((pixels + offset + 0.5) / self._view.scale - 0.5)
        return np.stack(np.meshgrid(*axes), axis=-1).astype(np.float32)

    def _cut_still_rows(self) -> int:
        """Drops the nodes below the last that can move; the number of canvas rows that are left to draw."""
        grid_end = float(self._rig.origin[1]) + float(self._rig.spacing) * self._rig.upper.shape[1]
        moving = (self._weight[..., 0] > 0).any(axis=1) | (self._nodes[:, 0, 1] < grid_end)
        rows = min(int(np.flatnonzero(moving)[-1]) + 3, len(self._nodes))
        self._nodes, self._depth, self._weight = self._nodes[:rows], self._depth[:rows], self._weight[:rows]
        return min((rows - 2) * PIXELS_PER_NODE, self._canvas.height)

    def _turn(self, pose: Pose) -> Map:
        """Portrait pixels at the nodes once the head has turned: a rotation about the neck and, by depth, parallax."""
        yaw, pitch, roll = (math.radians(angle) for angle in (pose.yaw, pose.pitch, pose.roll))
        unit = float(self._rig.size[0]) / 1000
        pivot = np.array([self._rig.cheeks.mean(), self._rig.chin], np.float32)
        arm = self._nodes - pivot
        shift = np.empty_like(self._nodes)
        shift[..., 0] = yaw * self._depth - roll * arm[..., 1] + pose.sway[0] * unit
        shift[..., 1] = pitch * self._depth + roll * arm[..., 0] + pose.sway[1] * unit
        return self._nodes - shift * self._weight

    def _expression(self, muscles: NDArray[np.float32], skull: Map) -> tuple[Map, Map]:
        """Portrait pixels at the nodes, for the skin above the seam and for that below it."""
        spacing = float(self._rig.spacing)
        at = (skull - self._rig.origin) / np.float32(spacing)
        maps = []
        for fields in (self._upper, self._lower):
            forward = (muscles @ fields).reshape(*self._grid.shape)
            maps.append(skull + sample(inverse(forward, self._grid, spacing), at))
        return maps[0], maps[1]

    def _enlarge(self, nodes: Map, width: int, height: int) -> Map:
        """Portrait pixels at coarse nodes to texture pixels at canvas pixels; the outermost nodes only guide."""
        texture = (nodes + 0.5) * np.float32(self._view.scale) - 0.5
        step = PIXELS_PER_NODE
        size = (nodes.shape[1] * step, nodes.shape[0] * step)
        whole = cv2.resize(texture, size, interpolation=cv2.INTER_LINEAR)
        return np.ascontiguousarray(whole[step : step + height, step : step + width])

    def _mouth(self, pose: Pose, skull: Map, above: Map, below: Map) -> None:
        """Lays upper lip, lower lip and what is between them over the frame, where the lips are."""
        (top, bottom), (left, right) = self._mouth_box(above, below)
        step = PIXELS_PER_NODE
        area = self._out[(top - 1) * step : (bottom - 1) * step, (left - 1) * step : (right - 1) * step]
        height, width = area.shape[:2]
        if not area.size:
            return
        window = np.s_[top - 1 : bottom + 1, left - 1 : right + 1]
        maps = [self._enlarge(nodes[window], width, height) for nodes in (above, below, skull)]
        skin = [remap(self._texture, at) for at in maps[:2]]
        far = [remap(self._seam, at) for at in maps[:2]]
        cut = np.clip((far[0] - far[1]) / 3, 0, self._inner.interior.shade(pose).trim)
        upper = np.clip(0.5 - far[0] - cut, 0, 1)
        lower = np.clip(0.5 + far[1] - cut, 0, 1)
        lower = np.where(upper < 1, np.minimum(lower / np.maximum(1 - upper, 1e-3), 1), 1)
        if float(lower.min()) < 1:
            inner = self._inner.draw(maps[2], far[0] + cut, -far[1] + cut, pose)
            behind = inner + (skin[1] - inner) * lower[..., None]
        else:
            behind = skin[1].astype(np.float32)
        area[:] = (behind + (skin[0] - behind) * upper[..., None] + 0.5).astype(np.uint8)

    def _mouth_box(self, above: Map, below: Map) -> tuple[tuple[int, int], tuple[int, int]]:
        """First and last + 1 of the rows and of the columns of nodes that show the lips' rims."""
        rig, half = self._rig, self._rig.mouth_half
        left, right = rig.seam[0, 0] - 0.25 * half, rig.seam[-1, 0] + 0.25 * half
        top, bottom = rig.seam[:, 1].min() - 0.25 * half, rig.seam[:, 1].max() + 0.25 * half
        inside = (above[..., 1] > top) & (below[..., 1] < bottom)
        inside &= (above[..., 0] > left) & (above[..., 0] < right)
        rows, columns = np.flatnonzero(inside[1:-1].any(axis=1)) + 1, np.flatnonzero(inside[:, 1:-1].any(axis=0)) + 1
        if not len(rows):
            return (1, 1), (1, 1)
        return (int(rows[0]), int(rows[-1]) + 1), (int(columns[0]), int(columns[-1]) + 1)

    def _seam_distance(self) -> NDArray[np.float32]:
        """Texture pixels below the seam (negative above it), over the whole texture."""
        scale, (height, width) = self._view.scale, self._still.shape[:2]
        x = (np.arange(width) + 0.5) / scale - 0.5
        line = (np.interp(x, self._rig.seam[:, 0], self._rig.seam[:, 1]) + 0.5) * scale - 0.5
        return np.asarray(np.arange(height)[:, None] - line[None], np.float32)

    def _scaled_lids(self, portrait: Frame) -> list[list[tuple[slice, slice, Frame]]]:
        """For each step of a blink, the two places in the texture and what they show."""
        steps = []
        for step in range(self._rig.lids.shape[1]):
            picture = portrait.copy()
            boxes = []
            for eye, (left, top) in enumerate(self._rig.lids_at):
                patch = self._rig.lids[eye, step]
                picture[top : top + patch.shape[0], left : left + patch.shape[1]] = patch
                ends = np.array([top, top + patch.shape[0], left, left + patch.shape[1]]) * self._view.scale
                boxes.append((slice(int(ends[0]), math.ceil(ends[1])), slice(int(ends[2]), math.ceil(ends[3]))))
            small = self._view.scaled(picture)
            steps.append([(rows, columns, small[rows, columns].copy()) for rows, columns in boxes])
        return steps

    def _blink(self, lids: float) -> None:
        step = round(min(max(lids, 0.0), 1.0) * (len(self._lids) - 1))
        if step != self._lid_step:
            self._lid_step = step
            for rows, columns, patch in self._lids[step]:
                self._texture[rows, columns] = patch if step else self._still[rows, columns]


def _head(rig: Rig, nodes: Map) -> tuple[NDArray[np.float32], Map]:
    """Depth (pixels in front of the neck's axis) and how much of the head's motion reaches each node.

    The head is half an ellipsoid; below the chin and towards the picture's sides the motion fades to nothing.
    """
    middle = float(rig.cheeks.mean())
    half = float(rig.cheeks[1] - rig.cheeks[0]) / 2
    tall = float(rig.chin - rig.forehead)
    u = (nodes[..., 0] - middle) / (1.5 * half)
    v = (nodes[..., 1] - (float(rig.forehead) + 0.5 * tall)) / (0.95 * tall)
    depth = half * np.exp(-1.2 * (u**2 + v**2))
    width = float(rig.size[0])
    side = _fade(np.abs(nodes[..., 0] - middle), 0.26 * width, 0.49 * width)
    neck = _fade(nodes[..., 1], float(rig.chin) - 0.05 * tall, float(rig.chin) + 0.55 * tall)
    return depth.astype(np.float32), (side * neck)[..., None].astype(np.float32)


def _fade(x: NDArray[np.float32], full: float, none: float) -> NDArray[np.float32]:
    """1 up to `full`, 0 from `none` on, smooth between (smoothstep)."""
    t = np.clip((none - x) / (none - full), 0, 1)
    return np.asarray(t * t * (3 - 2 * t), np.float32)
