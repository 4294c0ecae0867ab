"""A closed mouth for a face that was photographed with a smile that shows teeth, or with parted lips.

Upper and lower lip are warped apart from each other, each as a measured face (`worker.faces.donor`) was seen to move,
backwards, until they meet on a seam; between them nothing of the open mouth is left.
"""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from worker.faces import landmarks as lm
from worker.faces.donor import Donor
from worker.faces.muscles import Mouth, is_lower
from worker.faces.opening import refined
from worker.faces.warp import remap, spline

Image = NDArray[np.uint8]

INSET = 0.025
"""Half widths of the mouth: what lies so near to a lip's rim holds light from the teeth, and is left out."""
GAP = 0.04
"""Half widths of the mouth: so far about the opening nothing of the picture is used."""
MEETING = 0.5
"""Where between the two rims, once both have moved, the seam lies."""
REACH = 0.7
"""Half widths of the mouth from the lips at which the skin no longer follows what the rims lack to meet."""
SPACING = 0.15
"""Half widths of the mouth between the nodes where the splines are computed."""
SMOOTH = 0.0005
SEAM, SEAM_LIGHT = 0.018, np.array((0.48, 0.38, 0.39), np.float32)
"""The dark line between the lips: half its width in half widths of the mouth, and its light over the lips'."""
SHADOW, SHADE = 0.10, 0.12
"""How far the upper lip's shadow reaches down, in half widths of the mouth, and how dark it is."""

GRIN_WIDTH, GRIN_LIFT = (0.42, 0.48), (-0.01, 0.03)
"""Where a mouth begins to be a grin and where it is one, in widths of the face: its own width, and how far the upper
lip's rim lies below the corners; a jaw that drops leaves both alone or lessens them."""
TRUST = (0.02, 0.06)
"""Half widths of the mouth: how far the rims that the picture shows may leave the landmarks', towards the opening and
into the lip. Dark lips and skin are too much alike to tell by colour alone."""

_INNER = tuple(zip(lm.LIP_UPPER_INNER[1:-1], lm.LIP_LOWER_INNER[1:-1], strict=True))
_ENDS = (lm.LIP_UPPER_INNER[0], lm.LIP_UPPER_INNER[-1])


def parting(points: lm.Points) -> float:
    """How far the lips are apart in the middle, over half the mouth's width."""
    upper, lower = points[list(lm.LIP_UPPER_INNER)], points[list(lm.LIP_LOWER_INNER)]
    return float((lower[4:7, 1] - upper[4:7, 1]).mean() / (np.linalg.norm(upper[-1] - upper[0]) / 2))


class Closed(NamedTuple):
    """The portrait with its lips together, its landmarks (468, 2) and the seam, a point a pixel between the corners."""

    picture: Image
    points: lm.Points
    seam: lm.Points


def closed(rgb: Image, points: lm.Points, donor: Donor) -> Closed:
    """points: (468, 2), where the landmarks of the open mouth are."""
    seen = _rims(rgb, points)
    meant = _meeting(seen, _opened(seen, donor))
    line = meant[[lm.CORNERS[0], _ENDS[0], *(upper for upper, _ in _INNER), _ENDS[1], lm.CORNERS[1]]]
    mouth = Mouth(line)
    source = _inset(seen, mouth.half)
    low, high = _area(meant, mouth.half, rgb.shape)
    x, y = np.meshgrid(np.arange(low[0], high[0], dtype=np.float32), np.arange(low[1], high[1], dtype=np.float32))
    full = _filled(rgb, seen, mouth.half)
    layers = [_layer(full, meant, source, mouth, (x, y), lower=lower) for lower in (False, True)]
    under = (y - mouth.line(x)).astype(np.float32)
    weight = np.clip(0.5 + under / 1.5, 0, 1)[..., None]
    drawn = _shaded(layers[0] + (layers[1] - layers[0]) * weight, x, under, mouth)
    picture = rgb.copy()
    area = np.s_[low[1] : high[1], low[0] : high[0]]
    rim = _rim(drawn.shape[0], drawn.shape[1])
    picture[area] = (rgb[area] + (drawn - rgb[area]) * rim + 0.5).clip(0, 255).astype(np.uint8)
    columns = np.arange(np.floor(line[0, 0]), np.ceil(line[-1, 0]) + 1, dtype=np.float32)
    return Closed(picture, meant, np.stack([columns, mouth.line(columns)], axis=1))


def _rims(rgb: Image, points: lm.Points) -> lm.Points:
    """The landmarks, with the inner lips where the picture shows their rims."""
    found, which = refined(rgb, points), np.array(_INNER)
    half = float(np.linalg.norm(points[_ENDS[1]] - points[_ENDS[0]])) / 2
    into = (found - points)[which, 1] * (-1, 1) / half
    into = np.clip(into, -TRUST[0], TRUST[1]).astype(np.float32)
    into = cv2.GaussianBlur(into, (1, 5), 1.0, borderType=cv2.BORDER_REPLICATE)
    result = points.copy()
    result[which, 1] += into * (-half, half)
    return result


def _meeting(points: lm.Points, opened: lm.Points) -> lm.Points:
    """Where the landmarks are once `opened` is undone; both inner rims are on the seam."""
    moved = points - opened
    lacks = np.zeros((len(_INNER), 2), np.float32)
    for place, (upper, lower) in enumerate(_INNER):
        seam = moved[upper] + MEETING * (moved[lower] - moved[upper])
        lacks[place] = (seam - moved[upper])[1], (seam - moved[lower])[1]
    columns = moved[[upper for upper, _ in _INNER], 0]
    order = np.argsort(columns)
    half = float(moved[_ENDS[1], 0] - moved[_ENDS[0], 0]) / 2
    below = is_lower(points, Mouth(_middle(points)))
    outer = moved[list(lm.LIP_UPPER_OUTER + lm.LIP_LOWER_OUTER)]
    beyond = np.maximum(np.maximum(outer[:, 1].min() - moved[:, 1], moved[:, 1] - outer[:, 1].max()), 0)
    near = np.exp(-((beyond / (REACH * half)) ** 2))
    for side in range(2):
        lack = np.interp(moved[:, 0], columns[order], lacks[order, side], left=0, right=0)
        moved[:, 1] += np.where(below == bool(side), lack * near, 0)
    return _joined(moved)


def _joined(points: lm.Points) -> lm.Points:
    """Both inner rims on one smooth line between the inner corners."""
    result = points.copy()
    for upper, lower in _INNER:
        result[[upper, lower]] = points[[upper, lower]].mean(axis=0)
    which = [_ENDS[0], *(upper for upper, _ in _INNER), _ENDS[1]]
    u = (result[which, 0] - result[which, 0].mean()) / np.ptp(result[which, 0])
    smooth = np.polyval(np.polyfit(u, result[which, 1], 4), u)
    for place, (upper, lower) in enumerate(_INNER):
        result[[upper, lower], 1] = smooth[place + 1]
    return result.astype(np.float32)


def _middle(points: lm.Points) -> lm.Points:
    """The line half way between the parted lips, from corner to corner."""
    between = [points[[upper, lower]].mean(axis=0) for upper, lower in _INNER]
    return np.stack([points[lm.CORNERS[0]], points[_ENDS[0]], *between, points[_ENDS[1]], points[lm.CORNERS[1]]])


def _opened(points: lm.Points, donor: Donor) -> lm.Points:
    """(468, 2): from the closed mouth to this one, as the donor's bared teeth or, the less it is a grin, as its
    open mouth, until the lips are parted as far."""
    wide = float(np.linalg.norm(points[lm.CHEEKS[1]] - points[lm.CHEEKS[0]]))
    corners = points[list(lm.CORNERS)]
    width = float(np.linalg.norm(corners[1] - corners[0])) / wide
    lift = float(points[lm.LIP_UPPER_INNER[5], 1] - corners[:, 1].mean()) / wide
    grin = max(_share(width, GRIN_WIDTH), _share(lift, GRIN_LIFT))
    move = grin * donor.bared + (1 - grin) * donor.opened
    gap = points[14, 1] - points[13, 1]
    shift = move * (gap / max(float(move[14, 1] - move[13, 1]), 0.05))
    eyes, nose = points[list(lm.EYE_LOWER[0] + lm.EYE_LOWER[1]), 1].max(), points[lm.NOSE, 1]
    fade = np.clip((points[:, 1] - eyes) / max(nose - eyes, 1), 0, 1)
    return np.asarray(shift * (fade * fade * (3 - 2 * fade))[:, None], np.float32)


def _share(value: float, limits: tuple[float, float]) -> float:
    """0 at the first limit, 1 at the second."""
    return float(np.clip((value - limits[0]) / (limits[1] - limits[0]), 0, 1))


def _filled(rgb: Image, points: lm.Points, half: float) -> Image:
    """The picture with lips instead of the opening (Telea 2004), for its corners, where the rims are unsure."""
    rim = np.rint(points[[*lm.LIP_UPPER_INNER, *lm.LIP_LOWER_INNER[::-1]]]).astype(np.int32)
    margin = round(0.3 * half)
    (left, top), (right, bottom) = np.maximum(rim.min(axis=0) - margin, 0), rim.max(axis=0) + margin
    opening = np.zeros(rgb.shape[:2], np.uint8)
    cv2.fillPoly(opening, [rim], 1)
    reach = 2 * max(round(GAP * half), 1) + 1
    hole = cv2.dilate(opening, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (reach, reach)))
    area, filled = np.s_[top:bottom, left:right], rgb.copy()
    filled[area] = cv2.inpaint(rgb[area].copy(), hole[area].copy(), 4, cv2.INPAINT_TELEA)
    return filled


def _inset(points: lm.Points, half: float) -> lm.Points:
    """The inner rims drawn back into the lips."""
    source = points.copy()
    for upper, lower in _INNER:
        source[upper, 1] -= INSET * half
        source[lower, 1] += INSET * half
    return source


def _area(points: lm.Points, half: float, shape: tuple[int, ...]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """First and last + 1 of the columns and rows that change: the lower face and some room about it."""
    low = np.array([points[:, 0].min(), points[lm.NOSE, 1] - 1.2 * half])
    high = np.array([points[:, 0].max(), points[lm.CHIN, 1] + 0.5 * half])
    limits = np.array(shape[1::-1])
    return np.clip(low, 0, limits).astype(np.int64), np.clip(high, 0, limits).astype(np.int64)


def _layer(
    rgb: Image,
    meant: lm.Points,
    source: lm.Points,
    mouth: Mouth,
    at: tuple[NDArray[np.float32], NDArray[np.float32]],
    *,
    lower: bool,
) -> NDArray[np.float32]:
    """The skin above or below the seam at pixels `at`, as float RGB."""
    x, y = at
    far = np.abs(mouth.uv(meant)[0])
    mine = (is_lower(meant, mouth) == lower) | (far > 1.02)
    mine[[*_ENDS, *lm.CORNERS]] = True
    step = max(SPACING * mouth.half, 1.0)
    size = (round((x[0, -1] - x[0, 0]) / step) + 2, round((y[-1, 0] - y[0, 0]) / step) + 2)
    nodes = np.stack(
        np.meshgrid(np.linspace(x[0, 0], x[0, -1], size[0]), np.linspace(y[0, 0], y[-1, 0], size[1])), axis=-1
    ).astype(np.float32)
    rim = np.concatenate([nodes[[0, -1], ::4].reshape(-1, 2), nodes[::4, [0, -1]].reshape(-1, 2)])
    places = np.concatenate([meant[mine], rim])
    shifts = np.concatenate([(source - meant)[mine], np.zeros_like(rim)])
    field = spline(places, shifts, nodes, SMOOTH)
    scale = [(count - 1) / (length - 1) for count, length in zip(size, x.shape[::-1], strict=True)]
    grid = np.stack([(x - x[0, 0]) * scale[0], (y - y[0, 0]) * scale[1]], axis=-1).astype(np.float32)
    seen = np.stack([x, y], axis=-1) + remap(field, grid)
    return remap(rgb, seen.astype(np.float32)).astype(np.float32)


def _shaded(
    drawn: NDArray[np.float32], x: NDArray[np.float32], under: NDArray[np.float32], mouth: Mouth
) -> NDArray[np.float32]:
    """With the dark line between the lips, and the upper lip's shadow. under: pixels below the seam."""
    u = np.abs(x - mouth.middle) / mouth.half
    ends = np.clip((1.0 - u) / 0.12, 0, 1)
    line = ends * np.exp(-((under / (SEAM * mouth.half)) ** 2))
    shadow = ends * np.where(under > 0, SHADE * np.exp(-np.maximum(under, 0) / (SHADOW * mouth.half)), 0)
    return np.asarray(drawn * (1 - line[..., None] * (1 - SEAM_LIGHT)) * (1 - shadow[..., None]), np.float32)


def _rim(height: int, width: int) -> NDArray[np.float32]:
    """1 inside, falling to 0 over the outer pixels."""
    down = np.minimum(np.arange(height), np.arange(height)[::-1])[:, None]
    across = np.minimum(np.arange(width), np.arange(width)[::-1])[None]
    return np.clip(np.minimum(down, across) / 8, 0, 1)[..., None].astype(np.float32)
