"""The two rows of teeth of a frame that bares them, as plates that go on behind the lips."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from worker.faces import landmarks as lm
from worker.faces.opening import opening, said

Image = NDArray[np.uint8]
Colour = NDArray[np.float32]

TOOTH = (0.42, 0.68)
"""Blue of a pixel, of the brightest teeth's: at the first it is none of a tooth, at the second all of it."""
HIDDEN = 2.5
"""Rows next to a lip's rim that hold its shadow and its colour, in hundredths of the mouth's half width."""
LIT = 0.4
"""How far down a tooth the lip's shadow reaches in the frame, of what is seen of the tooth; the drawing has its own."""
CROWN = 0.36
"""How tall the middle teeth are, in half widths of the mouth; beyond are the gums."""
SIDE = 0.4
"""How far the lower row goes on beyond what a frame shows, in half widths of the mouth."""
LEAST, ALL = 0.2, 0.68
"""The height of a smile that shows the upper teeth well, in half widths of the mouth, and how much of it they fill."""
FRONT = 0.5
"""Half widths of the mouth from its middle: beyond, teeth lie in the cheeks' shadow."""
PINK, LOW = 0.12, 0.12
"""Redder than the teeth by so much (red less blue, over red), and so many half widths of the mouth from the lower
lip's rim, it is light on the lip."""
BESIDE = 0.25
"""Half widths of the mouth: a tooth in the shadow between two that are not further apart is one too."""
GUM = (0.62, 0.36, 0.36)
"""RGB of the gums, of the brightest teeth's light."""


def plates(rgb: Image, bared: lm.Points, half: float) -> tuple[NDArray[np.int32], Image, Image]:
    """The upper and the lower teeth: (left, top), two (h, w, 4) premultiplied RGBA.

    bared: the frame's landmarks; half: half the mouth's width at rest. Each plate goes on behind the lips: upwards or
    downwards from where the frame shows it.
    """
    shown = opening(rgb, bared)
    rows, columns = np.flatnonzero(shown.any(axis=1)), np.flatnonzero(shown.any(axis=0))
    margin = round(0.45 * half)
    top, bottom = max(rows[0] - margin, 0), rows[-1] + margin
    left, right = max(columns[0] - 4, 0), min(columns[-1] + 5, rgb.shape[1])
    crop, inside = rgb[top:bottom, left:right].astype(np.float32), shown[top:bottom, left:right] > 0
    tooth, light = _tooth(crop, inside)
    upper, lower = _rows(tooth, inside)
    at = np.array([left, top], np.int32)
    gum = np.array(GUM, np.float32) * light
    under = _plate(crop[::-1], lower[::-1], inside[::-1], gum, half)[::-1]
    return at, _plate(crop, upper, inside, gum, half), _widened(np.ascontiguousarray(under), half)


def upper_row(rgb: Image, smiling: lm.Points, half: float) -> tuple[NDArray[np.int32], Image] | None:
    """(left, top) and the upper teeth of a smile that shows nothing but them; None where it shows more or less."""
    shown = said(rgb.shape[:2], smiling)
    rows, columns = np.flatnonzero(shown.any(axis=1)), np.flatnonzero(shown.any(axis=0))
    if len(rows) < LEAST * half or len(columns) < 4:
        return None
    margin = round(0.45 * half)
    top, left, right = max(rows[0] - margin, 0), max(columns[0] - 4, 0), min(columns[-1] + 5, rgb.shape[1])
    area = np.s_[top : rows[-1] + margin, left:right]
    crop, inside = rgb[area].astype(np.float32), shown[area] > 0
    tooth, light = _tooth(crop, inside)
    middle = inside & (np.abs(np.arange(right - left) - (right - left) / 2) < FRONT * half)
    if tooth[middle].mean() < ALL:
        return None
    tooth = tooth * ~_lip_light(crop, inside, tooth, half)
    wide = np.ones((1, 2 * round(BESIDE * half) + 1), np.uint8)
    tooth = np.where(inside, cv2.morphologyEx(tooth, cv2.MORPH_CLOSE, wide), 0).astype(np.float32)
    tooth = _arched(tooth, 0.04 * half)
    return np.array([left, top], np.int32), _plate(crop, tooth, inside, np.array(GUM, np.float32) * light, half)


def _lip_light(crop: Colour, inside: NDArray[np.bool_], tooth: Colour, half: float) -> NDArray[np.bool_]:
    """What is redder than the teeth and lies right above the lower lip."""
    red = (crop[..., 0] - crop[..., 2]) / np.maximum(crop[..., 0], 1)
    last = len(inside) - np.argmax(inside[::-1], axis=0)
    low = np.arange(len(inside))[:, None] > last - LOW * half
    wide = inside.shape[1]
    front = np.abs(np.arange(wide) - wide / 2) < FRONT * half
    return np.asarray(low & front & (red > np.median(red[tooth > 0.8]) + PINK))


def _arched(tooth: Colour, play: float) -> Colour:
    """Without what hangs below the row's own curve by more than `play`: light on the lower lip, lower teeth."""
    columns = np.flatnonzero((tooth > 0.5).any(axis=0))
    if len(columns) < 4:
        return tooth
    last = np.array([np.flatnonzero(tooth[:, column] > 0.5)[-1] for column in columns], np.float32)
    curve = np.polyfit(columns, last, 2)
    for _ in range(3):
        off = np.abs(last - np.polyval(curve, columns))
        near = off <= np.percentile(off, 75)
        curve = np.polyfit(columns[near], last[near], 2)
    edge = np.polyval(curve, np.arange(tooth.shape[1])) + play
    return np.where(np.arange(len(tooth))[:, None] > edge, 0, tooth).astype(np.float32)


def _tooth(crop: Colour, inside: NDArray[np.bool_]) -> tuple[Colour, float]:
    """How much of each pixel is a tooth, 0 to 1, and the light of the brightest of them."""
    blue = crop[..., 2]
    light = float(np.percentile(blue[inside], 95)) if inside.any() else 255.0
    none, all_ = (share * light for share in TOOTH)
    amount = np.clip((blue - none) / (all_ - none), 0, 1)
    return np.where(inside, amount, 0).astype(np.float32), light


def _rows(tooth: Colour, inside: NDArray[np.bool_]) -> tuple[Colour, Colour]:
    """The same, of the upper row and of the lower: what lies above and below the darkest way between them.

    The way runs from left to right through the opening, where there is least of teeth, one row up or down a column.
    """
    cost = np.where(inside, tooth + 0.002, 0.5)
    way = _cheapest(cost.astype(np.float32))
    above = np.arange(len(tooth))[:, None] < way[None]
    return np.where(above, tooth, 0).astype(np.float32), np.where(above, 0, tooth).astype(np.float32)


def _cheapest(cost: Colour) -> NDArray[np.intp]:
    """A row for each column: the cheapest path from left to right (dynamic programming)."""
    total, came = cost.copy(), np.zeros(cost.shape, np.intp)
    rows = np.arange(len(cost))
    for column in range(1, cost.shape[1]):
        before = np.pad(total[:, column - 1], 1, constant_values=np.inf)
        steps = np.stack([before[:-2], before[1:-1], before[2:]])
        best = np.argmin(steps, axis=0)
        total[:, column] += steps[best, rows]
        came[:, column] = np.clip(rows + best - 1, 0, len(cost) - 1)
    way = np.empty(cost.shape[1], np.intp)
    way[-1] = int(np.argmin(total[:, -1]))
    for column in range(cost.shape[1] - 1, 0, -1):
        way[column - 1] = came[way[column], column]
    return way


def _plate(crop: Colour, tooth: Colour, inside: NDArray[np.bool_], gum: Colour, half: float) -> Image:
    """A row of upper teeth (the lower one comes upside down), with what is above them up to the plate's end."""
    columns = _together(np.flatnonzero((tooth > 0.5).sum(axis=0) > 0.025 * half), 0.12 * half)
    result = np.zeros((*tooth.shape, 4), np.float32)
    if len(columns) < 4:
        return result.astype(np.uint8)
    span = np.arange(columns[0], columns[-1] + 1)
    edge = np.interp(span, columns, [_edge(tooth[:, column]) for column in columns])
    edge = cv2.GaussianBlur(edge[None], (0, 0), 0.7)[0]
    rim = np.maximum(np.argmax(inside[:, span], axis=0), np.argmax(tooth[:, span] > 0.5, axis=0)) + HIDDEN * half / 100
    rim = cv2.GaussianBlur(np.minimum(rim, edge - 1)[None].astype(np.float32), (0, 0), 1.5)[0]
    row = np.arange(len(tooth), dtype=np.float32)[:, None]
    rim += LIT * np.maximum(edge - rim, 0)
    inner = np.clip(row, rim, np.maximum(edge - 1, rim)).astype(np.float32)
    shown = cv2.remap(crop, np.meshgrid(span, row[:, 0])[0].astype(np.float32), inner, cv2.INTER_LINEAR)
    root = np.clip((edge - CROWN * half - row) / (0.06 * half) + 0.5, 0, 1)[..., None]
    colour = shown + (gum - shown) * root
    alpha = np.clip(edge - row + 0.5, 0, 1) * _ends(len(span), 0.06 * half)
    result[:, span, :3] = colour * alpha[..., None]
    result[:, span, 3] = 255 * alpha
    return result.round().clip(0, 255).astype(np.uint8)


def _widened(plate: Image, half: float) -> Image:
    """The lower row, of which a frame shows the front alone, goes on behind the lip's sides: each side is mirrored
    about its last tooth, darker the further back, along the row's own curve."""
    full = np.flatnonzero((plate[..., 3] > 250).any(axis=0))
    if len(full) < 4:
        return plate
    first, last = int(full[0]), int(full[-1])
    top = np.array([np.argmax(plate[:, column, 3] > 127) for column in range(first, last + 1)], np.float32)
    middle, place = (first + last) / 2, np.arange(first, last + 1)
    bend = np.clip(np.polyfit((place - middle) ** 2, top, 1)[0] * half, -0.1, 0.35) / half
    target = np.arange(plate.shape[1], dtype=np.float32)
    beyond = np.maximum(np.maximum(first - target, target - last), 0)
    source = np.clip(target, first, last) + np.where(target < middle, 1, -1) * np.minimum(beyond, last - first)
    shift = bend * ((target - middle) ** 2 - (source - middle) ** 2)
    across, down = np.meshgrid(source, np.arange(len(plate), dtype=np.float32))
    moved = cv2.remap(plate, across.astype(np.float32), (down - shift).astype(np.float32), cv2.INTER_LINEAR)
    reach = SIDE * half
    dark = np.exp(-beyond / (0.8 * reach)).astype(np.float32)
    there = np.clip((reach - beyond) / (0.3 * reach), 0, 1).astype(np.float32)
    light = np.stack([dark * there] * 3 + [there], axis=-1)
    return (moved * light).round().astype(np.uint8)


def _together(columns: NDArray[np.intp], gap: float) -> NDArray[np.intp]:
    """The longest run of columns that are no further apart than `gap`."""
    runs = np.split(columns, np.flatnonzero(np.diff(columns) > gap) + 1)
    return max(runs, key=len)


def _edge(tooth: Colour) -> float:
    """Where the last tooth of a column of pixels ends, to a part of a pixel."""
    last = int(np.flatnonzero(tooth > 0.5)[-1])
    after = float(tooth[last + 1]) if last + 1 < len(tooth) else 0.0
    return last + float(tooth[last] - 0.5) / max(float(tooth[last]) - after, 1e-3)


def _ends(count: int, reach: float) -> Colour:
    """(count,): 0 to 1 over the first `reach` columns and back over the last."""
    place = np.arange(count, dtype=np.float32) + 1
    return np.clip(np.minimum(place, count + 1 - place) / max(reach, 1.0), 0, 1)
