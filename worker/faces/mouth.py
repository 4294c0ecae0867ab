"""The closed mouth's seam, and the teeth behind it."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from worker.faces import landmarks as lm

Image = NDArray[np.uint8]


def seam(rgb: Image, rest: lm.Points) -> lm.Points:
    """The dark line between the closed lips, a point a pixel from corner to corner.

    Searched in each column near the landmarks' line, then smoothed, and pinned to the corners.
    """
    left, right = rest[lm.CORNERS[0]], rest[lm.CORNERS[1]]
    inner = (rest[list(lm.LIP_UPPER_INNER)] + rest[list(lm.LIP_LOWER_INNER)]) / 2
    line = np.concatenate([left[None], inner, right[None]])
    x = np.arange(np.floor(left[0]), np.ceil(right[0]) + 1, dtype=np.float32)
    guess = np.interp(x, line[:, 0], line[:, 1])
    grey = cv2.GaussianBlur(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY), (0, 0), 1.0)
    reach = np.arange(-7, 8)
    rows = np.clip(np.rint(guess)[:, None] + reach, 0, rgb.shape[0] - 1).astype(int)
    darkness = grey[rows, x.astype(int)[:, None]].astype(np.float32) + 0.6 * np.abs(reach)
    y = rows[np.arange(len(x)), np.argmin(darkness, axis=1)].astype(np.float32)
    y = cv2.medianBlur(y[None], 5)[0]
    ends = np.interp(x, [left[0], right[0]], [left[1], right[1]])
    pinned = np.clip(1.5 - np.minimum(x - x[0], x[-1] - x) / (0.05 * (x[-1] - x[0])), 0, 1)
    y = cv2.GaussianBlur((y + (ends - y) * pinned)[None], (0, 0), 3.0, borderType=cv2.BORDER_REPLICATE)[0]
    return np.stack([x, y], axis=1).astype(np.float32)


def plates(rgb: Image, bared: lm.Points, half: float) -> tuple[NDArray[np.int32], Image, Image]:
    """The upper and the lower teeth of a frame that bares them: (left, top), two (h, w, 4) premultiplied RGBA.

    Each plate goes on behind the lips: upwards or downwards from where the frame shows it.
    half: half the mouth's width at rest.
    """
    inner = np.concatenate([bared[list(lm.LIP_UPPER_INNER)], bared[list(lm.LIP_LOWER_INNER[::-1])]])
    margin = round(0.45 * half)
    left, top = np.floor(inner.min(axis=0)).astype(int) - margin
    right, bottom = np.ceil(inner.max(axis=0)).astype(int) + margin
    crop = np.ascontiguousarray(rgb[top:bottom, left:right])
    opening = np.zeros(crop.shape[:2], np.uint8)
    cv2.fillPoly(opening, [np.rint(inner - (left, top)).astype(np.int32)], 1)
    teeth = _teeth(crop, np.asarray(cv2.dilate(opening, np.ones((5, 5), np.uint8)), np.uint8))
    upper, lower = _split(teeth, half)
    at = np.array([left, top], np.int32)
    axis = float(inner[:, 0].mean()) - left
    return at, _mirrored(_plate(crop, upper, up=True), axis), _mirrored(_plate(crop, lower, up=False), axis)


def _mirrored(plate: Image, axis: float) -> Image:
    """Where a tooth was hidden on one side, its twin's picture."""
    flip = np.array([[-1, 0, 2 * axis], [0, 1, 0]])
    twin = cv2.warpAffine(plate, flip, plate.shape[1::-1], flags=cv2.INTER_LINEAR)
    return np.where(plate[..., 3:] >= twin[..., 3:], plate, twin).astype(np.uint8)


def _teeth(crop: Image, opening: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """What is bright and hardly coloured; lips and gums are redder."""
    red, _, blue = (crop[..., channel].astype(np.float32) for channel in range(3))
    return (opening > 0) & (red > 90) & (red - blue < 0.20 * red + 4)


def _split(teeth: NDArray[np.bool_], half: float) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """The largest patch and all that lie above its lower edge are the upper row."""
    count, labels, stats, middles = cv2.connectedComponentsWithStats(teeth.astype(np.uint8), connectivity=4)
    upper, lower = np.zeros_like(teeth), np.zeros_like(teeth)
    if count < 2:
        return upper, lower
    biggest = 1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA]))
    level = middles[biggest][1] + 0.12 * half
    for label in range(1, count):
        if stats[label, cv2.CC_STAT_AREA] >= 6:
            (upper if middles[label][1] < level else lower)[labels == label] = True
    return upper, lower


def _plate(crop: Image, teeth: NDArray[np.bool_], *, up: bool) -> Image:
    """Premultiplied RGBA with soft edges; every column goes on, darkening, away from the biting edge."""
    colour, alpha = crop.astype(np.float32), teeth.astype(np.float32)
    for column in np.flatnonzero(teeth.any(axis=0)):
        rows = np.flatnonzero(teeth[:, column])
        _extend(colour[:, column], alpha[:, column], rows[0], rows[-1], up=up)
    colour = _bleed(colour, alpha)
    soft = np.clip(cv2.GaussianBlur(alpha, (0, 0), 1.0), 0, 1)[..., None]
    return np.concatenate([colour * soft, soft * 255], axis=2).round().clip(0, 255).astype(np.uint8)


def _extend(colour: NDArray[np.float32], alpha: NDArray[np.float32], first: int, last: int, *, up: bool) -> None:
    """One column: holes are closed, and the outermost clean pixel is repeated for 30 rows."""
    alpha[first : last + 1] = 1
    reach = 30
    if up:
        start = max(first - reach, 0)
        colour[start : first + 2] = colour[(first + last) // 2]
        alpha[start:first] = 1
    else:
        stop = min(last + reach, len(alpha))
        colour[last - 1 : stop] = colour[max(last - 2, first)]
        alpha[last:stop] = 1


def _bleed(colour: NDArray[np.float32], alpha: NDArray[np.float32]) -> NDArray[np.float32]:
    """Colours spread from inside over the rim, so that the soft edge holds no lip."""
    weight = cv2.GaussianBlur(alpha, (0, 0), 2.0)[..., None]
    spread = cv2.GaussianBlur(colour * alpha[..., None], (0, 0), 2.0) / np.maximum(weight, 1e-3)
    return np.where(alpha[..., None] > 0, colour, spread).astype(np.float32)
