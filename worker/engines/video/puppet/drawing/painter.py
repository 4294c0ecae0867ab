"""Draws a rig in a pose, straight into the planes that the encoder takes.

Everything is an inverse map: for each pixel of the canvas, which pixel of the portrait is seen there. Maps are made
on a coarse grid (`motion.py`) and the portrait is sampled once, luma at full and chroma at half the size, over a
backdrop that stays still. Where the skin above and the skin below the lips' seam part, the inner mouth shows.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from worker.engines.video.base import Canvas, Frame, Planes
from worker.engines.video.planes import Ring
from worker.engines.video.puppet.drawing import native, stage
from worker.engines.video.puppet.drawing.cavity import Cavity
from worker.engines.video.puppet.drawing.eyes import Eyes
from worker.engines.video.puppet.drawing.interior import Interior, Shade
from worker.engines.video.puppet.drawing.motion import Maps, Motion
from worker.engines.video.puppet.drawing.plain import PlainBrush
from worker.engines.video.puppet.drawing.sheets import UNITS, Brush, Nodes, Opening
from worker.engines.video.puppet.drawing.view import View
from worker.engines.video.puppet.pose import Pose
from worker.faces import matte
from worker.faces.rig import Rig

ROOM = 0.25
"""How far about the lips' seam they are drawn apart, in half widths of the mouth."""


PARTED = 0.1
"""Pixels of the canvas; lips that are nearer let nothing be seen between them."""


class Painter:
    """One rig at one size; `draw` may be called for any pose, in any order."""

    def __init__(self, rig: Rig, portrait: Frame, canvas: Canvas, layers: stage.Layers | None = None) -> None:
        """portrait: (h, w, 3) RGB of the size that the rig was measured on. layers: of an earlier painter's portrait,
        which take most of the time that a painter takes."""
        self._rig = rig
        self._view = View.fill(rig.size, canvas)
        self._motion = Motion(rig, self._view)
        self._interior = Interior(rig, self._view.scale)
        whole = stage.build(
            rig, portrait, layers or matte.layers(portrait, rig.alpha), self._view, self._motion.moving, self._interior
        )
        self._sheets = (whole.luma, whole.chroma)
        kind: type[Brush] = PlainBrush if native.chosen() is None else native.NativeBrush
        self._brushes = tuple(kind(sheet) for sheet in self._sheets)
        self._eyes = Eyes(rig, portrait, self._view)
        self._cavity = Cavity(self._interior, _parting(rig, self._view))
        self._ring = Ring(*whole.still)

    def draw(self, pose: Pose) -> Planes:
        """The canvas' frame; overwritten when HELD more were drawn."""
        self._eyes.draw((self._sheets[0].texture, self._sheets[1].texture), pose)
        maps = self._motion.maps(pose)
        frame = self._ring.take()
        targets = ((frame.y,), (frame.u, frame.v))
        for part, nodes in enumerate(self._units(maps.whole)):
            self._brushes[part].warp(nodes, targets[part])
        if pose.muscles.any():
            self._draw_mouth(pose, maps, frame)
        return frame

    def _units(self, portrait: NDArray[np.float32]) -> tuple[Nodes, Nodes]:
        """Portrait pixels as 1/32 pixels of luma's texture and of chroma's."""
        luma = np.rint(portrait * np.float32(UNITS * self._view.scale) + np.float32(UNITS * (self._view.scale - 1) / 2))
        return luma, np.rint((luma - UNITS // 2) / 2)

    def _draw_mouth(self, pose: Pose, maps: Maps, frame: Planes) -> None:
        """Upper lip, lower lip and what is between them over the frame, where the lips are."""
        window = self._lips(maps)
        if window is None:
            return
        step, canvas = self._view.step, self._view.canvas
        top, left = ((face.start + part.start) * step for face, part in zip(maps.face, window, strict=True))
        bottom = min((window[0].stop - window[0].start - 1) * step - step // 2, canvas.height - top)
        right = min((window[1].stop - window[1].start - 1) * step - step // 2, canvas.width - left)
        above, below, skull = (self._units(each[window]) for each in (maps.above, maps.below, maps.skull))
        gap = np.abs(maps.above[window] - maps.below[window]).max() * self._view.scale
        inner = self._cavity.draw(pose) if gap > PARTED else self._cavity.pictures
        shade = self._interior.shade(pose)
        for part, planes in enumerate(((frame.y,), (frame.u, frame.v))):
            parts = part + 1
            at = (self._cavity.at[0] // parts, self._cavity.at[1] // parts)
            box = (0, 0, bottom // parts, right // parts)
            opening = Opening(above[part], below[part], skull[part], inner[part], at, _of_plane(shade, parts), box)
            target = tuple(plane[top // parts :, left // parts :] for plane in planes)
            self._brushes[part].mouth(opening, target)

    def _lips(self, maps: Maps) -> tuple[slice, slice] | None:
        """The nodes of the face around those that show the lips' rims."""
        rig, half = self._rig, self._rig.mouth_half
        left, right = rig.seam[0, 0] - ROOM * half, rig.seam[-1, 0] + ROOM * half
        top, bottom = rig.seam[:, 1].min() - ROOM * half, rig.seam[:, 1].max() + ROOM * half
        inside = (maps.above[..., 1] > top) & (maps.below[..., 1] < bottom)
        inside &= (maps.above[..., 0] > left) & (maps.above[..., 0] < right)
        rows, columns = np.flatnonzero(inside.any(axis=1)), np.flatnonzero(inside.any(axis=0))
        if not len(rows):
            return None
        return (
            slice(max(int(rows[0]) - 1, 0), min(int(rows[-1]) + 2, inside.shape[0])),
            slice(max(int(columns[0]) - 1, 0), min(int(columns[-1]) + 2, inside.shape[1])),
        )


def _parting(rig: Rig, view: View) -> tuple[int, int, int, int]:
    """Left, top, right and bottom in the texture, even, of the area in which the lips may part."""
    half = rig.mouth_half
    low = (rig.seam[:, 0].min() - 0.2 * half, rig.seam[:, 1].min() - 0.6 * half)
    high = (rig.seam[:, 0].max() + 0.2 * half, rig.seam[:, 1].max() + 1.4 * half)
    left, top = (2 * max(int(place * view.scale / 2), 0) for place in low)
    right, bottom = (
        2 * min(int(place * view.scale / 2) + 1, side // 2) for place, side in zip(high, view.size, strict=True)
    )
    return left, top, right, bottom


def _of_plane(shade: Shade, parts: int) -> Shade:
    """The light for a plane of which one pixel is `parts` of the texture's."""
    upper, lower = ((floor, reach / parts) for floor, reach in (shade.upper, shade.lower))
    left, right = ((place + 0.5) / parts - 0.5 for place in (shade.left, shade.right))
    return replace(shade, upper=upper, lower=lower, left=left, right=right, trim=shade.trim / parts)
