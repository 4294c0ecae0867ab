"""The puppet's pixels by OpenCV and numpy, for machines on which `kernel.c` was not built."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from worker.engines.video.puppet.drawing.sheets import MIXED, STILL, UNITS, Nodes, Opening, Sheet, Target
from worker.faces.warp import remap

Map = NDArray[np.float32]

RIM = cv2.BORDER_REPLICATE

_NO_MAP: Any = None
"""cv2.convertMaps' second map, not used where the first holds both coordinates."""


class PlainBrush:
    """Draws the smallest rectangle of blocks that are not still; what is still within it is put back."""

    def __init__(self, sheet: Sheet) -> None:
        self._sheet = sheet
        height, width = sheet.back.shape[1:]
        moving = sheet.kinds != STILL
        self._moves = bool(moving.any())
        if not self._moves:
            moving = np.ones_like(moving)
        rows, columns = (np.flatnonzero(moving.any(axis=axis)) for axis in (1, 0))
        half = sheet.step // 2
        self._rows = slice(
            max(int(rows[0]) * sheet.step - half, 0), min((int(rows[-1]) + 1) * sheet.step - half, height)
        )
        self._columns = slice(
            max(int(columns[0]) * sheet.step - half, 0), min((int(columns[-1]) + 1) * sheet.step - half, width)
        )
        kinds = self._spread(sheet.kinds)
        self._mixed = bool((kinds == MIXED).any())
        self._moving = kinds != STILL
        self._back = np.ascontiguousarray(sheet.back[:, self._rows, self._columns])
        self._seam = _below(sheet)

    def _spread(self, kinds: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """The kind of every pixel of the rectangle."""
        step, half = self._sheet.step, self._sheet.step // 2
        whole = np.repeat(np.repeat(kinds, step, axis=0), step, axis=1)[half:, half:]
        return np.ascontiguousarray(whole[self._rows, self._columns])

    def warp(self, nodes: Nodes, target: Target) -> None:
        if not self._moves:
            return
        at = enlarged(nodes, self._sheet.step, self._rows, self._columns)
        fixed, rest = cv2.convertMaps(at, _NO_MAP, cv2.CV_16SC2)
        drawn = [cv2.remap(texture, fixed, rest, cv2.INTER_LINEAR, borderMode=RIM) for texture in self._sheet.texture]
        if self._mixed:
            alpha = cv2.remap(self._sheet.alpha, fixed, rest, cv2.INTER_LINEAR, borderMode=RIM)
            weight = alpha.astype(np.float32)
            behind = 255 - weight
            drawn = [cv2.blendLinear(one, back, weight, behind) for one, back in zip(drawn, self._back, strict=True)]
        for plane, picture in zip(target, drawn, strict=True):
            np.copyto(plane[self._rows, self._columns], picture, where=self._moving)

    def mouth(self, opening: Opening, target: Target) -> None:
        top, left, bottom, right = opening.box
        area = (slice(top, bottom), slice(left, right))
        maps = [enlarged(nodes, self._sheet.step, *area) for nodes in (opening.above, opening.below, opening.skull)]
        below, over = (remap(self._seam, at) for at in maps[:2])
        cut = np.clip((below - over) * np.float32(0.6), 0, np.float32(opening.shade.trim))
        upper, lower = np.clip(0.5 - below - cut, 0, 1), np.clip(0.5 + over - cut, 0, 1)
        lower = np.where(upper < 1, np.minimum(lower / np.maximum(1 - upper, np.float32(1e-3)), 1), 1)
        deep = self._deep(opening, maps[2], below + cut, cut - over) if float(lower.min()) < 1 else None
        for channel, plane in enumerate(target):
            above, value = (remap(self._sheet.texture[channel], at).astype(np.float32) for at in maps[:2])
            if deep is not None:
                value = deep[channel] + (value - deep[channel]) * lower
            plane[area] = (value + (above - value) * upper + np.float32(0.5)).astype(np.uint8)

    def _deep(self, opening: Opening, skull: Map, below: Map, above: Map) -> list[Map]:
        """What is between the lips, in its light, a plane each."""
        at, shade = skull - np.array(opening.at, np.float32), opening.shade
        t = shade.along(skull[..., 0])
        light, amount = shade.factor(t, below, above), shade.amount(t, below, above)
        across = (t + 1) * np.float32(0.5)
        planes = []
        for inner, depth, (left, right) in zip(opening.inner, self._sheet.depth, self._sheet.flesh.T, strict=True):
            lit = depth + (remap(inner, at).astype(np.float32) - depth) * light
            planes.append(np.clip(lit + (left + (right - left) * across - lit) * amount, 0, 255))
        return planes


def enlarged(nodes: Nodes, step: int, rows: slice, columns: slice) -> Map:
    """(h, w, 2): the texture's place, in pixels, for each pixel of an area of the plane."""
    half = step // 2
    first = ((rows.start + half) // step, (columns.start + half) // step)
    last = ((rows.stop - 1 + half) // step + 2, (columns.stop - 1 + half) // step + 2)
    window = np.ascontiguousarray(nodes[first[0] : last[0], first[1] : last[1]]) * np.float32(1 / UNITS)
    size = (window.shape[1] * step, window.shape[0] * step)
    whole = cv2.resize(window, size, interpolation=cv2.INTER_LINEAR)
    top, left = rows.start - (first[0] - 1) * step, columns.start - (first[1] - 1) * step
    return np.ascontiguousarray(whole[top : top + rows.stop - rows.start, left : left + columns.stop - columns.start])


def _below(sheet: Sheet) -> Map:
    """(h, w): how far below the lips' seam each pixel of the texture lies."""
    height, width = sheet.texture.shape[1:]
    return np.asarray(np.arange(height, dtype=np.float32)[:, None] - sheet.seam[None, :width], np.float32)
