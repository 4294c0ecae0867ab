"""Eyelids: a few in-between pictures of each eye, from open to shut."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from worker.faces import landmarks as lm
from worker.faces.curves import smooth
from worker.faces.warp import remap

Image = NDArray[np.uint8]
Line = NDArray[np.float32]
"""A y for each column of a patch."""

STEPS = 9
"""Pictures an eye: the first is the open eye, the last the shut one. A lid moves 3 pixels of the portrait a step."""
ASIDE, OVER, UNDER = 0.25, 0.44, 0.34
"""How far a patch reaches beyond the eye, in widths of it: to each side, above the open lid, below the lower one."""
LASH = 0.07
"""The strip along an edge that travels whole (lid's rim and lashes), and how far lashes hang, in widths of the eye."""
TURNED = 0.65
"""Closed by so much, a lid shows nothing any more of how it looks when it is open."""
INSIDE = 0.08
"""Lashes and the lid's shadow fade over so much of the eye's width about its corners."""
CLEAR = 8.0
"""How much darker than around it the line along shut lids is where it can be followed, of 255."""
BROW = 0.10
"""What stays in place below the brow, in widths of the eye."""
SHADOW = 0.30
"""How much darker the eyeball is right under the lid."""


class Atlas(NamedTuple):
    """at: (2, 2) left, top of both eyes' patches. pictures: (2, STEPS, h, w, 3) RGB. openings: (2, STEPS, 2, w), the
    rows of the upper and of the lower lid's edge in each column; where they cross, the eye is shut."""

    at: NDArray[np.int32]
    pictures: NDArray[np.uint8]
    openings: NDArray[np.float32]


@dataclass(frozen=True)
class _Eye:
    """One eye's patch of both pictures, and lines in it: the upper and lower lid's edge, that of the shut ones, and
    the brow's lower rim. inside: 1 between the eye's corners, for each column. wide: between the corners."""

    rest: NDArray[np.float32]
    shut: NDArray[np.float32]
    upper: Line
    lower: Line
    meeting: Line
    brow: Line
    inside: Line
    wide: float


def atlas(rest: Image, shut: Image, open_at: lm.Points, shut_at: lm.Points) -> Atlas:
    """The patches of a face seen with open eyes and with shut ones, each with its landmarks; those of the shut upper
    lids are their edges exactly (`along_lashes`).

    Two lids close over the eyeball of the open picture. A lid's skin is that of the open picture drawn out and that
    of the shut one drawn together, both with the edge and its lashes at the lid's place, the one fading to the other.
    """
    boxes = [_box(open_at, eye) for eye in range(2)]
    width, height = (max(box[side] for box in boxes) for side in (2, 3))
    pictures, openings = [], []
    for eye, box in enumerate(boxes):
        found = _eye(rest, shut, (open_at, shut_at), eye, (*box[:2], width, height))
        drawn = [_step(found, step / (STEPS - 1)) for step in range(STEPS)]
        pictures.append(np.stack([picture for picture, _ in drawn]))
        openings.append(np.stack([opening for _, opening in drawn]))
    return Atlas(np.array([box[:2] for box in boxes], np.int32), np.stack(pictures), np.stack(openings))


def _eye(
    rest: Image, shut: Image, points: tuple[lm.Points, lm.Points], eye: int, box: tuple[int, int, int, int]
) -> _Eye:
    """The patch `box` of both pictures; points: of the open eyes and of the shut ones."""
    left, top, width, height = box
    open_at, shut_at = points
    seen, closed = (picture[top : top + height, left : left + width].astype(np.float32) for picture in (rest, shut))
    corners = open_at[list(lm.EYE_UPPER[eye]), 0] - left
    wide, x = float(np.ptp(corners)), np.arange(width)
    inside = np.clip(np.minimum(x - corners.min(), corners.max() - x) / (INSIDE * wide) + 0.5, 0, 1)
    return _Eye(
        seen,
        closed,
        upper=_edge(open_at, lm.EYE_UPPER[eye], left, top, width),
        lower=_edge(open_at, lm.EYE_LOWER[eye], left, top, width),
        meeting=_edge(shut_at, lm.EYE_UPPER[eye], left, top, width),
        brow=_edge(open_at, lm.BROWS_BELOW[eye], left, top, width),
        inside=inside.astype(np.float32),
        wide=wide,
    )


def _box(points: lm.Points, eye: int) -> tuple[int, int, int, int]:
    """Left, top, width and height of the area that a blink changes."""
    rim = points[list(lm.EYE_UPPER[eye] + lm.EYE_LOWER[eye])]
    wide = float(np.ptp(rim[:, 0]))
    left, top = rim[:, 0].min() - ASIDE * wide, rim[:, 1].min() - OVER * wide
    return int(left), int(top), round((1 + 2 * ASIDE) * wide), round(rim[:, 1].max() + UNDER * wide - top)


def _edge(points: lm.Points, indices: tuple[int, ...], left: int, top: int, width: int) -> Line:
    """A lid's edge: a y for each column of the patch; beyond the eye's corners it goes on level."""
    line = points[list(indices)]
    rows = np.interp(np.arange(width), line[:, 0] - left, line[:, 1] - top)
    soft = cv2.GaussianBlur(rows[None].astype(np.float32), (0, 0), 2.0, borderType=cv2.BORDER_REPLICATE)
    return np.asarray(soft[0], np.float32)


def along_lashes(shut: Image, points: lm.Points) -> lm.Points:
    """The landmarks of shut eyes with the upper lids' edges moved to the lower side of the dark line seen there.

    A parabola's height from where they were, through the darkest places; those that stand out count most.
    """
    moved = points.copy()
    for names in lm.EYE_UPPER:
        line = points[list(names)]
        left, wide = int(line[:, 0].min()), float(np.ptp(line[:, 0]))
        x = np.arange(left, left + round(wide) + 1)
        bend = _bend(shut, x, np.interp(x, line[:, 0], line[:, 1]).astype(np.float32), wide)
        inner = np.clip(4 * np.minimum(line[:, 0] - x[0], x[-1] - line[:, 0]) / wide, 0, 1)
        moved[list(names), 1] += np.interp(line[:, 0], x, bend) * inner
    return moved


def _bend(shut: Image, x: NDArray[np.int64], line: Line, wide: float) -> Line:
    """How far below `line` the lashes are, in each column."""
    reach = np.arange(-round(0.05 * wide), round(0.08 * wide) + 1)
    top = max(int(line.min()) - len(reach), 0)
    light = cv2.GaussianBlur(shut[top : int(line.max()) + len(reach)].mean(axis=2), (0, 0), 0.8)
    shown = light[np.clip(np.rint(line - top).astype(int) + reach[:, None], 0, len(light) - 1), x]
    found = reach[np.argmin(shown + 0.5 * np.abs(reach)[:, None], axis=0)] + 1.0
    clear = np.median(shown, axis=0) - shown.min(axis=0)
    middle = np.median(found[clear >= np.median(clear)])
    kept = np.flatnonzero((clear > CLEAR) & (np.abs(found - middle) <= 0.05 * wide))
    if len(kept) < 0.5 * len(x):
        return np.zeros(len(x), np.float32)
    u = (x - x.mean()) / wide
    return np.polyval(np.polyfit(u[kept], found[kept], 2, w=clear[kept]), u).astype(np.float32)


def _step(eye: _Eye, amount: float) -> tuple[Image, NDArray[np.float32]]:
    """The eye closed by `amount`, and its opening."""
    upper = eye.upper + amount * (eye.meeting - eye.upper)
    lower = eye.lower + amount**2 * (eye.meeting - eye.lower)
    opening = np.stack([upper, np.maximum(lower, upper)])
    if amount == 0:
        return eye.rest.round().astype(np.uint8), opening
    y = np.arange(eye.rest.shape[0], dtype=np.float32)[:, None]
    turned = smooth(amount / TURNED)
    above, below = _lid(eye, upper, -1, turned), _lid(eye, lower, 1, turned)
    picture = _eyeball(eye, y - upper, turned)
    picture += (below - picture) * np.clip(y - opening[1] + 0.5, 0, 1)[..., None]
    picture = picture * _lashes(eye, upper, turned)
    picture += (above - picture) * np.clip(upper - y + 0.5, 0, 1)[..., None]
    picture = eye.rest + _rim(*eye.rest.shape[:2]) * (picture - eye.rest)
    return picture.round().clip(0, 255).astype(np.uint8), opening


def _lid(eye: _Eye, edge: Line, side: int, turned: float) -> NDArray[np.float32]:
    """The skin above (side -1) or below (1) an edge: of the open picture and, by `turned`, of the shut one."""
    opened, shut = _moved(eye, eye.rest, edge, side), _moved(eye, eye.shut, edge, side, shut=True)
    return np.asarray(opened + (shut - opened) * np.float32(turned), np.float32)


def _moved(
    eye: _Eye, picture: NDArray[np.float32], edge: Line, side: int, *, shut: bool = False
) -> NDArray[np.float32]:
    """`picture` with the lid's edge that it shows at `edge`: a strip beside it travels whole, the skin beyond it
    stretches, up to the brow or down to the patch's rim."""
    height, width = picture.shape[:2]
    line = eye.meeting if shut else (eye.upper if side < 0 else eye.lower)
    end = np.minimum(eye.brow + BROW * eye.wide, eye.upper - 2) if side < 0 else height - 1
    y = np.arange(height, dtype=np.float32)[:, None]
    strip = np.minimum(LASH * eye.wide, np.abs(edge - end) / 3)
    far = (y - edge) * np.float32(side) - strip
    shift = (line - edge) * np.clip(1 - far / np.maximum(np.abs(edge - end) - strip, 1), 0, 1)
    columns = np.broadcast_to(np.arange(width, dtype=np.float32), shift.shape)
    return remap(picture, np.ascontiguousarray(np.stack([columns, y + shift], axis=-1).astype(np.float32)))


def _eyeball(eye: _Eye, under: NDArray[np.float32], turned: float) -> NDArray[np.float32]:
    """The open picture, in the shadow of the lid; under: pixels below the lid's edge."""
    shade = 1 - SHADOW * turned * eye.inside * np.exp(-np.maximum(under, 0) / (0.05 * eye.wide))
    return np.asarray(eye.rest * shade[..., None], np.float32)


def _lashes(eye: _Eye, edge: Line, turned: float) -> NDArray[np.float32]:
    """A factor (h, w, 1) for what lies below the edge: lashes of the shut lid, hanging from where it is now."""
    reach = round(LASH * eye.wide) * 2 + 1
    light = eye.shut.mean(axis=2)
    plain = cv2.morphologyEx(light, cv2.MORPH_CLOSE, np.ones((reach, reach), np.uint8))
    dark = np.clip(light / np.maximum(plain, 1), 0.2, 1)[..., None]
    hanging = _moved(eye, np.repeat(dark, 3, axis=2), edge, 1, shut=True)[..., :1]
    y = np.arange(len(light), dtype=np.float32)[:, None]
    near = (eye.inside * np.clip(2 - (y - edge) / (LASH * eye.wide), 0, 1))[..., None]
    return np.asarray(1 - (1 - hanging) * near * turned, np.float32)


def _rim(height: int, width: int) -> NDArray[np.float32]:
    """1 inside, falling to 0 at the patch's rim."""
    down = np.minimum(np.arange(height), np.arange(height)[::-1])[:, None]
    across = np.minimum(np.arange(width), np.arange(width)[::-1])[None]
    return np.clip(np.minimum(down, across) / 6, 0, 1)[..., None].astype(np.float32)
