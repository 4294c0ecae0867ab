"""The puppet's pixels by OpenCV and numpy, for machines on which `kernel.c` was not built."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from worker.engines.video.puppet.sheets import MIXED, STILL, UNITS, Nodes, Opening, Pixels, Sheet, Target
from worker.faces.warp import remap

Map = NDArray[np.float32]


class PlainBrush:
    """Draws the smallest rectangle of blocks that are not still; what is still within it is put back."""

    def __init__(self, sheet: Sheet) -> None:
        self._sheet = sheet
        height, width = sheet.back.shape[:2]
        moving = sheet.kinds != STILL
        rows, columns = (np.flatnonzero(moving.any(axis=axis)) for axis in (1, 0))
        half = sheet.step // 2
        self._rows = slice(
            max(int(rows[0]) * sheet.step - half, 0), min((int(rows[-1]) + 1) * sheet.step - half, height)
        )
        self._columns = slice(
            max(int(columns[0]) * sheet.step - half, 0), min((int(columns[-1]) + 1) * sheet.step - half, width)
        )
        kinds = self._spread(sheet.kinds)
        self._mixed = np.flatnonzero((kinds == MIXED).any(axis=1))
        self._moving = (kinds != STILL).astype(np.uint8)
        self._all = bool(self._moving.all())
        self._back = sheet.back[self._rows, self._columns].astype(np.int16)
        self._see_through = kinds == MIXED
        self._seam = _below(sheet)

    def _spread(self, kinds: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """The kind of every pixel of the rectangle."""
        step, half = self._sheet.step, self._sheet.step // 2
        whole = np.repeat(np.repeat(kinds, step, axis=0), step, axis=1)[half:, half:]
        return np.ascontiguousarray(whole[self._rows, self._columns])

    def warp(self, nodes: Nodes, target: Target) -> None:
        at = enlarged(nodes, self._sheet.step, self._rows, self._columns)
        drawn = remap(self._sheet.texture, at)
        if len(self._mixed):
            self._lay_over_back(drawn, at)
        for channel, plane in enumerate(target):
            picture = drawn if drawn.ndim == 2 else drawn[..., channel]
            area = plane[self._rows, self._columns]
            if self._all:
                area[:] = picture
            else:
                np.copyto(area, picture, where=self._moving.view(np.bool_))

    def _lay_over_back(self, drawn: Pixels, at: Map) -> None:
        alpha = remap(self._sheet.alpha, at).astype(np.int32)
        mixed = self._see_through & (alpha < 255)
        rows, columns = np.nonzero(mixed)
        weight = alpha[rows, columns]
        weight = weight if drawn.ndim == 2 else weight[:, None]
        over, behind = drawn[rows, columns].astype(np.int32), self._back[rows, columns]
        drawn[rows, columns] = (over * weight + behind * (255 - weight) + 127) // 255

    def mouth(self, opening: Opening, target: Target) -> None:
        top, left, bottom, right = opening.box
        area = (slice(top, bottom), slice(left, right))
        maps = [enlarged(nodes, self._sheet.step, *area) for nodes in (opening.above, opening.below, opening.skull)]
        skin = [remap(self._sheet.texture, at).astype(np.float32) for at in maps[:2]]
        below, over = (remap(self._seam, at) for at in maps[:2])
        cut = np.clip((below - over) * np.float32(0.6), 0, np.float32(opening.shade.trim))
        upper, lower = np.clip(0.5 - below - cut, 0, 1), np.clip(0.5 + over - cut, 0, 1)
        lower = np.where(upper < 1, np.minimum(lower / np.maximum(1 - upper, np.float32(1e-3)), 1), 1)
        value = skin[1]
        if float(lower.min()) < 1:
            deep = self._deep(opening, maps[2], below + cut, cut - over)
            value = deep + (value - deep) * _like(lower, value)
        value = value + (skin[0] - value) * _like(upper, value)
        drawn = (value + np.float32(0.5)).astype(np.uint8)
        for channel, plane in enumerate(target):
            plane[area] = drawn if drawn.ndim == 2 else drawn[..., channel]

    def _deep(self, opening: Opening, skull: Map, below: Map, above: Map) -> Map:
        """What is between the lips, in its light."""
        inner = remap(opening.inner, skull - np.array(opening.at, np.float32)).astype(np.float32)
        shade, sheet = opening.shade, self._sheet
        t = shade.along(skull[..., 0])
        light, amount = shade.factor(t, below, above), shade.amount(t, below, above)
        if inner.ndim == 3:
            t, light, amount = t[..., None], light[..., None], amount[..., None]
        depth, (left, right) = sheet.depth, sheet.flesh
        lit = depth + (inner - depth) * light
        flesh = left + (right - left) * ((t + 1) * np.float32(0.5))
        return np.asarray(np.clip(lit + (flesh - lit) * amount, 0, 255), np.float32)


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
    height, width = sheet.texture.shape[:2]
    return np.asarray(np.arange(height, dtype=np.float32)[:, None] - sheet.seam[None, :width], np.float32)


def _like(weight: Map, value: Map) -> Map:
    return weight if value.ndim == 2 else weight[..., None]
