"""Eyelids: a few in-between pictures of each eye, from open to shut."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from worker.faces import landmarks as lm

STEPS = 6
"""Pictures an eye: the first is the open eye, the last the shut one."""


def atlas(
    rest: NDArray[np.uint8], shut: NDArray[np.uint8], open_at: lm.Points, shut_at: lm.Points
) -> tuple[NDArray[np.int32], NDArray[np.uint8]]:
    """(2, 2) left, top of both eyes' patches and (2, STEPS, h, w, 3) RGB.

    The lid's skin comes from the frame with shut eyes, squeezed between the brow and the lid's edge, which travels
    down over the eyeball of the open frame.
    """
    boxes = [_box(open_at, eye) for eye in range(2)]
    width = max(box[2] for box in boxes)
    height = max(box[3] for box in boxes)
    places, patches = [], []
    for eye, (left, top, _, _) in enumerate(boxes):
        places.append((left, top))
        area = np.s_[top : top + height, left : left + width]
        edges = [_edge(points, lm.EYE_UPPER[eye], left, top, width) for points in (open_at, shut_at)]
        patches.append(_pictures(rest[area], shut[area], edges[0], edges[1]))
    return np.array(places, np.int32), np.stack(patches)


def _box(points: lm.Points, eye: int) -> tuple[int, int, int, int]:
    """Left, top, width and height of the area that a blink changes."""
    rim = points[list(lm.EYE_UPPER[eye] + lm.EYE_LOWER[eye])]
    wide = float(np.ptp(rim[:, 0]))
    left, top = rim[:, 0].min() - 0.42 * wide, rim[:, 1].min() - 0.42 * wide
    return int(left), int(top), round(1.84 * wide), round(rim[:, 1].max() + 0.38 * wide - top)


def _edge(points: lm.Points, indices: tuple[int, ...], left: int, top: int, width: int) -> NDArray[np.float32]:
    """The upper lid's edge: a y for each column of the patch."""
    line = points[list(indices)]
    return np.interp(np.arange(width), line[:, 0] - left, line[:, 1] - top).astype(np.float32)


def _pictures(
    rest: NDArray[np.uint8], shut: NDArray[np.uint8], above: NDArray[np.float32], below: NDArray[np.float32]
) -> NDArray[np.uint8]:
    rim = _rim(*rest.shape[:2])
    pictures = []
    for step in range(STEPS):
        amount = step / (STEPS - 1)
        blended = _picture(rest, shut, above, below, amount)
        pictures.append(rest + rim * (blended - rest.astype(np.float32)))
    return np.stack(pictures).round().clip(0, 255).astype(np.uint8)


def _picture(
    rest: NDArray[np.uint8],
    shut: NDArray[np.uint8],
    above: NDArray[np.float32],
    below: NDArray[np.float32],
    amount: float,
) -> NDArray[np.float32]:
    """The eye with its lid's edge at above + amount x (below - above)."""
    height, width = rest.shape[:2]
    if amount == 0:
        return rest.astype(np.float32)
    y = np.arange(height, dtype=np.float32)[:, None]
    edge = above + amount * (below - above)
    crease = np.maximum(above - 0.30 * height, 0)
    squeezed = crease + (y - crease) * (below - crease) / np.maximum(edge - crease, 1)
    lid = np.where(y < crease, y, np.where(y < edge, squeezed, y + (below - edge))).astype(np.float32)
    columns = np.broadcast_to(np.arange(width, dtype=np.float32), lid.shape)
    skin = cv2.remap(shut, np.ascontiguousarray(columns), lid, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    covered = np.clip((edge + 2.5 - y) / 2, 0, 1)[..., None]
    weight = covered * np.clip((y - above + 4) / 4, min(1.0, amount * 2), 1)[..., None]
    below_edge = rest * (1 - amount**3) + shut * np.float32(amount**3)
    return (skin * weight + below_edge * (1 - weight)).astype(np.float32)


def _rim(height: int, width: int) -> NDArray[np.float32]:
    """1 inside, falling to 0 at the patch's rim."""
    down = np.minimum(np.arange(height), np.arange(height)[::-1])[:, None]
    across = np.minimum(np.arange(width), np.arange(width)[::-1])[None]
    return np.clip(np.minimum(down, across) / 6, 0, 1)[..., None].astype(np.float32)
