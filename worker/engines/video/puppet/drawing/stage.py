"""Everything of a portrait that stays the same from frame to frame, as planes of the canvas' size."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from worker.engines.video.base import Frame
from worker.engines.video.colour import halved, luma_chroma, rounded, split
from worker.engines.video.puppet.drawing.interior import DUSK, Interior
from worker.engines.video.puppet.drawing.sheets import MIXED, STILL, WHOLE, Sheet, padded
from worker.engines.video.puppet.drawing.view import View
from worker.faces.rig import Rig

REACH = 0.045
"""How far a head may move, of the portrait's width: blocks so near to the outline show backdrop at times."""


@dataclass(frozen=True)
class Stage:
    """The sheets of luma and chroma, and what a frame holds before anything is drawn: luma (1, h, w) and
    chroma (2, h / 2, w / 2) of the canvas."""

    luma: Sheet
    chroma: Sheet
    still: tuple[NDArray[np.uint8], NDArray[np.uint8]]


Layers = tuple[Frame, Frame]
"""The person and what is behind, of the portrait's size, as `matte.layers` gives them."""


def build(
    rig: Rig, portrait: Frame, layers: Layers, view: View, moving: NDArray[np.bool_], interior: Interior
) -> Stage:
    """portrait: (h, w, 3) RGB of the size that the rig was measured on. moving: (rows, columns), which nodes of the
    maps ever move."""
    alpha = view.scaled(rig.alpha)
    shares = (rig.alpha, 255 - rig.alpha)
    person, behind = (split(_scaled(layer, share, view)) for layer, share in zip(layers, shares, strict=True))
    kinds = _kinds(alpha, view, moving)
    alphas = (alpha, rounded(halved(alpha.astype(np.float32))))
    inside = luma_chroma(np.stack([interior.depth, *(interior.flesh * DUSK)])[None])
    parts = zip(person, alphas, behind, inside, strict=True)
    sheets = [_sheet(rig, view, part, kinds, *each) for part, each in enumerate(parts)]
    still = split(view.cut(view.scaled(portrait)))
    return Stage(sheets[0], sheets[1], still)


def _scaled(layer: Frame, share: NDArray[np.uint8], view: View) -> Frame:
    """A layer as the texture, each pixel weighted by its share of what is seen, so that both layers still make the
    portrait where they meet."""
    weight = share.astype(np.float32)[..., None] / np.float32(255) + np.float32(0.02)
    seen, total = view.resized(np.asarray(layer * weight, np.float32)), view.resized(weight)[..., None]
    return rounded(np.asarray(seen / np.maximum(total, 0.01), np.float32))


def _sheet(
    rig: Rig,
    view: View,
    part: int,
    kinds: NDArray[np.uint8],
    texture: NDArray[np.uint8],
    alpha: NDArray[np.uint8],
    back: NDArray[np.uint8],
    inside: NDArray[np.float32],
) -> Sheet:
    """part: 0 for luma, 1 for chroma, which is half as large."""
    parts = part + 1
    colours = inside.reshape(3, -1)
    return Sheet(
        step=view.step // parts,
        texture=padded(texture),
        alpha=padded(alpha),
        back=np.stack([view.cut(plane, parts) for plane in back]),
        kinds=kinds,
        seam=_seam(rig, view.scale / parts, texture.shape[-1]),
        depth=colours[0],
        flesh=colours[1:],
    )


def _seam(rig: Rig, scale: float, width: int) -> NDArray[np.float32]:
    """The y of the seam in each column of a texture and one more; level beyond the lips' corners."""
    x = (np.arange(width + 1) + 0.5) / scale - 0.5
    y = np.interp(x, rig.seam[:, 0], rig.seam[:, 1])
    return np.asarray((y + 0.5) * scale - 0.5, np.float32)


def _kinds(alpha: NDArray[np.uint8], view: View, moving: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """A kind for each block, which lies between four nodes."""
    reach = max(1, round(REACH * view.size[0]))
    around = np.ones((2 * reach + 1, 1), np.uint8)
    spread = cv2.dilate(cv2.dilate(alpha, around), around.T).astype(np.uint8)
    sure = cv2.erode(cv2.erode(alpha, around), around.T).astype(np.uint8)
    ever, always = (_of_blocks(view.cut(each), view.step, each is spread) for each in (spread, sure))
    stirred = moving[:-1, :-1] | moving[1:, :-1] | moving[:-1, 1:] | moving[1:, 1:]
    kinds = np.where(always == 255, WHOLE, MIXED)
    return np.ascontiguousarray(np.where(stirred & (ever > 0), kinds, STILL), np.uint8)


def _of_blocks(picture: NDArray[np.uint8], step: int, largest: bool) -> NDArray[np.uint8]:
    """The largest or the smallest value in each block; blocks are half a step off the picture's corner."""
    half = step // 2
    height, width = (-(-(length + half) // step) * step for length in picture.shape)
    below, right = height - half - picture.shape[0], width - half - picture.shape[1]
    whole = cv2.copyMakeBorder(picture, half, below, half, right, cv2.BORDER_REPLICATE)
    blocks = whole.reshape(height // step, step, width // step, step)
    return np.asarray(blocks.max(axis=(1, 3)) if largest else blocks.min(axis=(1, 3)))
