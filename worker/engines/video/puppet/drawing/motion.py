"""From a pose to maps: which pixel of the portrait is seen at each node of the canvas.

The head's turn, the sway and the breath are one linear sum over a few fields, taken where the node is seen, which for
turns of a few degrees is as good as the exact inverse. The expression is a sum of the muscles' fields on the face's
own grid, inverted there and read where the skull is seen.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from worker.engines.video.puppet.drawing.view import View
from worker.engines.video.puppet.pose import INDEX, Pose
from worker.faces.rig import Rig
from worker.faces.warp import remap, sample

Map = NDArray[np.float32]

ROUNDS = 6
"""Of the fixed-point iteration that inverts the expression."""


class Maps(NamedTuple):
    """Portrait pixels. whole: (rows, columns, 2) of all nodes. skull, above, below: of the nodes `face` (two slices of
    rows and columns), for the skull and for the skin above and below the lips' seam."""

    whole: Map
    skull: Map
    above: Map
    below: Map
    face: tuple[slice, slice]


class Motion:
    """One rig on one canvas."""

    def __init__(self, rig: Rig, view: View) -> None:
        self._rig = rig
        self._unit = float(rig.size[0]) / 1000
        self._nodes = view.nodes()
        self._fields = _fields(rig, self._nodes)
        self._spacing, self._origin = np.float32(rig.spacing), rig.origin.astype(np.float32)
        both = np.concatenate([rig.upper, rig.lower], axis=1).astype(np.float32)
        # In nodes of the grid, and led back: what the iteration adds up.
        self._muscles = both.reshape(len(INDEX), -1) * np.float32(-1 / self._spacing)
        self._shape = both.shape[1:]
        rows, columns = rig.upper.shape[1:3]
        self._limits = np.array([columns, rows], np.float32)
        self.face = self._face(rows, columns)

    @property
    def moving(self) -> NDArray[np.bool_]:
        """(rows, columns): which nodes ever move."""
        moving: NDArray[np.bool_] = (np.abs(self._fields).max(axis=1) > 0).reshape(self._nodes.shape[:2])
        moving[self.face] = True
        return moving

    def maps(self, pose: Pose) -> Maps:
        whole = self._nodes - (self._fields @ self._weights(pose)).reshape(self._nodes.shape)
        skull = np.ascontiguousarray(whole[self.face])
        above, below = self._expression(pose, skull)
        whole[self.face] = self._joined(skull, above, below)
        return Maps(whole, skull, above, below, self.face)

    def _weights(self, pose: Pose) -> Map:
        """(6, 2): how much of each field goes into x and y."""
        yaw, pitch, roll = (math.radians(angle) for angle in (pose.yaw, pose.pitch, pose.roll))
        (cy, sy), (cp, sp), (cr, sr) = ((math.cos(angle), math.sin(angle)) for angle in (yaw, pitch, roll))
        x, y = (place * self._unit for place in pose.sway)
        # What yaw, then pitch, then roll add to x and y (columns) for each of x, y and depth (rows).
        turn = [
            (cr * cy + sr * sp * sy - 1, sr * cy - cr * sp * sy),
            (-sr * cp, cr * cp - 1),
            (cr * sy - sr * sp * cy, sr * sy + cr * sp * cy),
        ]
        breath = [(pose.breath, 0.0), (0.0, pose.breath)]
        return np.array([*turn, (x, y), *breath], np.float32)

    def _expression(self, pose: Pose, skull: Map) -> tuple[Map, Map]:
        """Where the skin seen at each node lay before the expression moved it.

        A place p that the field moves lies at p + s, with s = -field(p + s), found by fixed-point iteration (Chen et
        al. 2008), which converges where the field's slope is below 1. Both fields are read at once, the one below the
        seam in the rows after the other; neither moves anything at its rim.
        """
        field = (pose.muscles @ self._muscles).reshape(self._shape)
        at = np.clip((skull - self._origin) / self._spacing, -1, self._limits)
        rows = len(at)
        both = np.concatenate([at, at + np.array([0, self._limits[1]], np.float32)])
        shift = sample(field, both)
        for _ in range(_rounds(pose)):
            shift = sample(field, both + shift)
        shift *= self._spacing
        return skull + shift[:rows], skull + shift[rows:]

    def _joined(self, skull: Map, above: Map, below: Map) -> Map:
        """One map of both: nodes on the skin above the seam, where that is, and on that below it."""
        seam = self._rig.seam
        line = np.interp(skull[..., 0], seam[:, 0], seam[:, 1])
        return np.where((skull[..., 1] < line)[..., None], above, below)

    def _face(self, rows: int, columns: int) -> tuple[slice, slice]:
        """The nodes that may see the face's grid, however the head is turned."""
        room = 0.04 * float(self._rig.size[0])
        low = self._origin - room
        high = self._origin + self._spacing * np.array([columns - 1, rows - 1]) + room
        x, y = self._nodes[0, :, 0], self._nodes[:, 0, 1]
        inside = [np.flatnonzero((y >= low[1]) & (y <= high[1])), np.flatnonzero((x >= low[0]) & (x <= high[0]))]
        rows_of, columns_of = (slice(int(each[0]), int(each[-1]) + 1) for each in inside)
        return rows_of, columns_of


def _rounds(pose: Pose) -> int:
    """Small movements converge at once."""
    pull = float(np.abs(pose.muscles).max())
    return math.ceil(ROUNDS * min(1.0, 0.3 + 1.2 * pull))


def _fields(rig: Rig, nodes: Map) -> Map:
    """(nodes, 6): what a turn makes of x, y and depth from the pivot, the sway, and both parts of the breath."""
    at = nodes / np.float32(rig.head_spacing)
    follow, depth = (remap(grid.astype(np.float32), at) for grid in (rig.follow, rig.depth))
    breath = remap(rig.breath.astype(np.float32), at)
    arm = nodes - rig.pivot.astype(np.float32)
    parts = [follow * arm[..., 0], follow * arm[..., 1], follow * depth, follow, breath[..., 0], breath[..., 1]]
    return np.ascontiguousarray(np.stack([part.ravel() for part in parts], axis=1), np.float32)
