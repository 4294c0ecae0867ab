"""Dynamic time warping of sequences of frames onto one, inside a band, row by row.

Each frame of the one gets one frame of the other; from frame to frame the other stands still or goes on by one, two or
three. No step depends on another of its own row, so that a row is a few operations on whole arrays (Sakoe and Chiba
1978, asymmetric form).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from worker.timing.features import Frames

_STEPS = (1, 0, 2, 3)
_TOLLS = np.array([0.0, 0.25, 0.15, 0.6], np.float32)
"""What a step costs beyond the frames' distance, in units of the usual distance: a voice rather keeps its pace."""
_BLOCK = 16
"""Rows whose distances are worked out at once: so few that the library for matrices keeps to one thread."""


def warp(
    one: Frames, others: list[Frames], centre: NDArray[np.float64], width: int
) -> tuple[NDArray[np.intp], NDArray[np.float32]]:
    """The frame of the first of `others` for each frame of `one`, and what each of them costs a frame; infinite where
    no way leads through, which is so where one is more than three times as long as the other.

    others: of one length. centre: (frames of one,) where each is expected, rising from 0 to their last. width: frames
    on each side of it that are tried. Ends are tied to ends. Memory: 2 · width bytes a frame, and a block of distances.
    """
    size, length = 2 * width + 1, len(others[0])
    starts = np.clip(np.round(centre).astype(np.intp) - width, 0, max(0, length - 1))
    came = np.zeros((len(one), size), np.int8)
    tolls = _TOLLS * _usual(one, others[0])
    whole = np.stack(others)
    # The last row's totals, with room on both sides for the steps that lead there.
    total = np.full((len(others), size + max(_STEPS) + int(np.diff(starts).max(initial=0))), np.inf, np.float32)
    for first in range(0, len(one), _BLOCK):
        block = slice(first, min(first + _BLOCK, len(one)))
        distances = _distances(one[block], whole, starts[block], size)
        for row in range(block.start, block.stop):
            place = int(starts[row] - starts[first])
            near = distances[:, row - first, place : place + size]
            if row:
                came[row] = _row(total, near, int(starts[row] - starts[row - 1]), tolls)
            else:
                total[:, max(_STEPS)] = near[:, 0]
    end = length - 1 - int(starts[-1])
    costs = total[:, max(_STEPS) :][:, end] / np.float32(len(one)) if end < size else np.full(len(others), np.inf)
    path = _back(came, starts, end) if np.isfinite(costs[0]) else np.zeros(len(one), np.intp)
    return path, costs.astype(np.float32)


def _usual(one: Frames, other: Frames) -> np.float32:
    """The distance of frames that have nothing to do with each other."""
    pick = np.random.default_rng(0)
    pairs = one[pick.integers(len(one), size=256)] - other[pick.integers(len(other), size=256)]
    return np.float32(np.sqrt(np.square(pairs).mean(axis=1)).mean() + 1e-6)


def _distances(rows: Frames, others: NDArray[np.float32], starts: NDArray[np.intp], size: int) -> NDArray[np.float32]:
    """(others, rows, columns): root mean square differences from the first row's start to the last row's end; infinite
    beyond the others' end. others: (others, frames, values)."""
    low, last = int(starts[0]), int(starts[-1]) + size
    columns = others[:, low:last]
    squared = np.square(rows).sum(axis=1)[:, None] + np.square(columns).sum(axis=2)[:, None]
    squared -= 2 * rows @ columns.transpose(0, 2, 1)
    found = np.full((len(others), len(rows), last - low), np.inf, np.float32)
    found[..., : columns.shape[1]] = np.sqrt(np.maximum(squared, 0) / rows.shape[1])
    return found


def _row(
    total: NDArray[np.float32], near: NDArray[np.float32], moved: int, tolls: NDArray[np.float32]
) -> NDArray[np.int8]:
    """Puts the next row's totals in the place of the last one's, and tells by which of _STEPS each of the first of
    `others` came. near: (others, size)."""
    size, reach = near.shape[1], max(_STEPS)
    way = np.zeros(size, np.int8)
    best = np.full_like(near, np.inf)
    for place, (step, toll) in enumerate(zip(_STEPS, tolls, strict=True)):
        option = total[:, reach + moved - step :][:, :size] + toll
        way[option[0] < best[0]] = place
        np.minimum(best, option, out=best)
    np.add(best, near, out=total[:, reach : reach + size])
    return way


def _back(came: NDArray[np.int8], starts: NDArray[np.intp], end: int) -> NDArray[np.intp]:
    path = np.empty(len(came), np.intp)
    path[-1] = starts[-1] + end
    for row in range(len(came) - 1, 0, -1):
        path[row - 1] = path[row] - _STEPS[came[row, path[row] - starts[row]]]
    return path
