"""Who of a portrait is the person, and what lies behind."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from worker.faces.fill import behind, pulled

Image = NDArray[np.uint8]
Alpha = NDArray[np.uint8]
"""(h, w), 255 where the pixel is the person's alone."""
Plane = NDArray[np.float32]

INSIDE, OUTSIDE = 10.0, 40.0
"""Pixels of a 1024-pixel portrait within and beyond the coarse map's outline where the person's rim is sought: the map
errs by two of its own pixels, of four each, and stray hair reaches farther out."""
LEVELS = np.array([0, 0.03, 0.07, 0.13, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.87, 0.93, 0.97, 1], np.float32)
"""The opacities that are weighed against each other."""
STEP = 4
"""Pixels of a picture for one of that of the colours around."""
NOISE = 3.0
"""Grey levels that a colour may be off."""
PLAIN = 20.0
"""Grey levels by which a plain background varies."""
SEEN_FACE, CROWDED = 0.6, 0.97
"""Less of the face, or more of the picture than this, and the coarse map is wrong."""
STRAY = 8.0
"""So many pixels of 1024 beyond the first, half as large solution finer hairs are sought."""
FAINTEST = 0.02
"""The least opacity that is one."""
HAZE = 0.12
"""What a likelihood that says little leaves of an opacity of 0."""
STEADY = 0.02
"""The variance of what is behind, of that of the person's colours."""
WHOLE = 1.5
"""How much rather a pixel is of one than of both, in units of the logarithm of the likelihood."""


def refined(rgb: Image, coarse: NDArray[np.float32], face: NDArray[np.float32]) -> Alpha:
    """The person's outline, from a coarse map 0–1 of any size (`worker.faces.mesh.person`) and the picture itself.

    face: (n, 2) points of the face, in the picture's pixels. Where the map misses the face or finds the person
    everywhere, the outline is that of a common head and shoulders about this face, soft.
    """
    unit = rgb.shape[1] / 1024
    guess = _guess(coarse, rgb.shape[:2], face)
    if guess is None:
        return _bytes(_assumed(rgb.shape[:2], face) * 255)
    half = cv2.resize(rgb, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA).astype(np.uint8)
    small = np.asarray(cv2.resize(guess, half.shape[1::-1], interpolation=cv2.INTER_AREA), np.float32)
    far = _signed(small) / (unit / 2)
    first = _solved(half, small, far > INSIDE, far < -OUTSIDE, 24 * unit / 2, far)
    first = _one_piece(_cleared(first, HAZE))
    large = np.asarray(cv2.resize(first, rgb.shape[1::-1], interpolation=cv2.INTER_LINEAR), np.float32)
    within, beyond = cv2.erode(large, _disc(2 * unit)) > 0.985, cv2.dilate(large, _disc(STRAY * unit)) < 0.015
    alpha = _solved(rgb, large, within, beyond, 10 * unit, _signed(large) / unit)
    return _bytes(_one_piece(np.where(alpha < FAINTEST, 0, alpha).astype(np.float32)) * 255)


def _cleared(alpha: Plane, haze: float) -> Plane:
    """Without what is hardly there or hardly missing."""
    return np.asarray(np.clip((alpha - haze) / (1 - 2 * haze), 0, 1), np.float32)


def _guess(coarse: NDArray[np.float32], shape: tuple[int, ...], face: NDArray[np.float32]) -> Plane | None:
    """The map with the whole face, in one piece; None where it can't be right."""
    large = np.clip(np.nan_to_num(cv2.resize(coarse.astype(np.float32), (shape[1], shape[0]))), 0, 1)
    hull = np.zeros(large.shape, np.uint8)
    cv2.fillConvexPoly(hull, cv2.convexHull(np.rint(face).astype(np.int32)), 1)
    shown = large[hull > 0]
    if not shown.size or shown.mean() < SEEN_FACE or (large > 0.5).mean() > CROWDED:
        return None
    return _one_piece(np.maximum(large, hull).astype(np.float32))


def _assumed(shape: tuple[int, ...], face: NDArray[np.float32]) -> Plane:
    """A head, hair and shoulders about the face."""
    low, high = face.min(axis=0), face.max(axis=0)
    (x, y), (wide, tall) = (low + high) / 2, high - low
    plain = np.zeros(shape[:2], np.float32)
    cv2.ellipse(plain, ((x, y - 0.12 * tall), (1.5 * wide, 1.65 * tall), 0), 1.0, -1)
    cv2.fillConvexPoly(plain, cv2.convexHull(np.rint(face).astype(np.int32)), 1.0)
    neck = np.rint([[x - 0.4 * wide, y], [x + 0.4 * wide, y], [x + 0.5 * wide, shape[0]], [x - 0.5 * wide, shape[0]]])
    cv2.fillConvexPoly(plain, neck.astype(np.int32), 1.0)
    down = y + 1.75 * tall
    cv2.ellipse(plain, ((x, down), (3.2 * wide, 2 * tall), 0), 1.0, -1)
    return np.asarray(cv2.GaussianBlur(plain, (0, 0), 12 * shape[1] / 1024), np.float32)


def _one_piece(alpha: Plane) -> Plane:
    """Without holes and without islands, unless they lie as close as a hair that fades and comes back."""
    near = cv2.dilate((alpha > FAINTEST).astype(np.uint8), _disc(STRAY / 2 * alpha.shape[1] / 1024))
    count, parts, stats, _ = cv2.connectedComponentsWithStats(near, connectivity=4)
    if count > 2:
        alpha = np.where(parts == 1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA])), alpha, 0)
    rim = np.pad((alpha < 0.98).astype(np.uint8), ((1, 0), (1, 1)), constant_values=1)
    _, outside = cv2.connectedComponents(rim, connectivity=4)
    hole = (outside[1:, 1:-1] != outside[0, 0]) & (alpha < 0.98)
    return np.where(hole, 1, alpha).astype(np.float32)


def _disc(radius: float) -> NDArray[np.uint8]:
    side = 2 * max(1, round(radius)) + 1
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side)), np.uint8)


def _signed(alpha: Plane) -> Plane:
    """Pixels from the outline, negative outside."""
    inside = (alpha >= 0.5).astype(np.uint8)
    near, beyond = (cv2.distanceTransform(part, cv2.DIST_L2, 5) for part in (inside, 1 - inside))
    return np.asarray(near - beyond, np.float32)


@dataclass(frozen=True)
class Local:
    """Mean (n, 3) and covariance (n, 6: rr rg rb gg gb bb) of the colours around each of n pixels."""

    mean: Plane
    spread: Plane


def _around(rgb: Plane, known: NDArray[np.bool_], where: NDArray[np.bool_], reach: float) -> Local:
    """Of the known pixels, weighted by a Gaussian of `reach` pixels and, where that sees none, a far wider one."""
    sums = _moments(rgb, known)
    small = cv2.GaussianBlur(sums, (0, 0), reach / STEP)
    tiny = cv2.GaussianBlur(cv2.pyrDown(cv2.pyrDown(sums)), (0, 0), reach / STEP)
    wide = cv2.resize(tiny, sums.shape[1::-1], interpolation=cv2.INTER_LINEAR)
    seen = _read(np.asarray(small + 1e-3 * wide + 1e-9, np.float32), where)
    seen = seen / seen[:, 9:]
    mean = seen[:, :3]
    r, g, b = (mean[:, i] for i in range(3))
    return Local(mean, seen[:, 3:9] - np.stack([r * r, r * g, r * b, g * g, g * b, b * b], axis=1))


def _moments(rgb: Plane, known: NDArray[np.bool_]) -> Plane:
    """(h / STEP, w / STEP, 10): the known pixels' colours, their products and 1, averaged. Each second row and column
    of the picture says enough."""
    half = np.s_[::2, ::2]
    moments = np.empty((*known[half].shape, 10), np.float32)
    moments[..., :3], moments[..., 9] = rgb[half], 1
    for place, (one, other) in enumerate(((0, 0), (0, 1), (0, 2), (1, 1), (1, 2), (2, 2)), start=3):
        np.multiply(moments[..., one], moments[..., other], out=moments[..., place])
    moments *= known[half][..., None]
    return np.asarray(cv2.pyrDown(moments), np.float32)


def _read(small: Plane, where: NDArray[np.bool_]) -> Plane:
    """A picture of which each pixel is every STEP-th of a large one, bilinearly at the marked pixels of that."""
    y, x = (np.minimum(at / STEP, side - 1.001) for at, side in zip(np.nonzero(where), small.shape, strict=False))
    row, column = y.astype(int), x.astype(int)
    down, along = ((at - whole).astype(np.float32)[:, None] for at, whole in ((y, row), (x, column)))
    above = small[row, column] * (1 - along) + small[row, column + 1] * along
    below = small[row + 1, column] * (1 - along) + small[row + 1, column + 1] * along
    return np.asarray(above * (1 - down) + below * down, np.float32)


def _solved(
    rgb: Image, prior: Plane, within: NDArray[np.bool_], beyond: NDArray[np.bool_], reach: float, far: Plane
) -> Plane:
    """Bayesian matting (Chuang et al. 2001) with the two colours integrated out.

    A pixel of opacity a shows a colour from N(aF + (1-a)B, a²ΣF + (1-a)²ΣB + noise), where F and B are the colours
    known nearby; its opacity is the mean of what that likelihood and the prior leave.
    """
    unknown = ~(within | beyond)
    if not unknown.any():
        return within.astype(np.float32)
    colours = rgb.astype(np.float32)
    front, back = (_around(colours, known, unknown, reach) for known in (within, beyond))
    seen, expected, depth = colours[unknown], prior[unknown], far[unknown]
    busy = back.spread[:, [0, 3, 5]].sum(axis=1) / PLAIN**2
    trust = 2 + 2 * np.clip(depth, 0, 12) ** 2 + np.clip(-depth, 0, 8) ** 2 * np.clip(busy - 0.5, 0.0, 4)
    costs = np.stack([_cost(seen, front, back, a) + trust * (a - expected) ** 2 for a in LEVELS])
    costs += 2 * WHOLE * (4 * LEVELS * (1 - LEVELS))[:, None]
    likely = np.exp(-0.5 * (costs - costs.min(axis=0))) * np.gradient(LEVELS)[:, None]
    found = (LEVELS @ likely) / likely.sum(axis=0)
    least = np.where(found > 0.1, _least(seen, back), 0)
    alpha = within.astype(np.float32)
    alpha[unknown] = np.maximum(found, least)
    return alpha


def _least(seen: Plane, back: Local) -> Plane:
    """The opacity below which no colour of the person explains what is seen before this backdrop."""
    off = NOISE + 2 * np.sqrt(np.maximum(back.spread[:, [0, 3, 5]], 0))
    low, high = np.maximum(back.mean - off, 1), np.minimum(back.mean + off, 254)
    beyond = np.maximum((low - seen) / low, (seen - high) / (255 - high))
    return np.asarray(np.clip(beyond.max(axis=1), 0, 1), np.float32)


def _cost(seen: Plane, front: Local, back: Local, a: np.float32) -> Plane:
    """Twice the negative logarithm of the likelihood."""
    off = seen - (a * front.mean + (1 - a) * back.mean)
    spread = a * a * front.spread + (1 - a) ** 2 * back.spread
    rr, gg, bb = (spread[:, i] + NOISE**2 for i in (0, 3, 5))
    rg, rb, gb = (spread[:, i] for i in (1, 2, 4))
    c00, c01, c02 = gg * bb - gb * gb, gb * rb - rg * bb, rg * gb - gg * rb
    det = rr * c00 + rg * c01 + rb * c02
    c11, c12, c22 = rr * bb - rb * rb, rg * rb - rr * gb, rr * gg - rg * rg
    x, y, z = off[:, 0], off[:, 1], off[:, 2]
    far = x * (c00 * x + 2 * (c01 * y + c02 * z)) + y * (c11 * y + 2 * c12 * z) + c22 * z * z
    return np.asarray(far / det + np.log(det), np.float32)


def layers(rgb: Image, alpha: Alpha) -> tuple[Image, Image]:
    """The person's own colours F and what is behind, B, so that alpha x F + (1 - alpha) x B is the picture.

    F goes on beyond the person's rim, B behind the person: an outline that moves neither takes the backdrop along nor
    leaves a halo. Where both show, what the two estimates leave of the picture is given mostly to F, after the
    variances (Chuang et al. 2001; the estimates are spread from where one shows alone, as in Forte 2021).
    """
    picture, a = rgb.astype(np.float32), (alpha.astype(np.float32) / 255)[..., None]
    unit = rgb.shape[1] / 1024
    front = pulled(picture, np.clip((a[..., 0] - 0.9) * 10, 0, 1))
    back = behind(picture, cv2.dilate(alpha, _disc(3 * unit)) > 2, 60 * unit)
    left = picture - a * front - (1 - a) * back
    share = np.maximum(a * a + (1 - a) ** 2 * STEADY, 1e-6)
    front = np.clip(front + left * a / share, 0, 255)
    mixed = (picture - a * front) / np.maximum(1 - a, 1 / 255)
    back = np.where(a < 0.995, np.clip(mixed, 0, 255), back)
    return _bytes(np.where(a == 1, picture, front)), _bytes(back)


def _bytes(colours: Plane) -> Image:
    return np.asarray(np.clip(colours + 0.5, 0, 255)).astype(np.uint8)
