"""From segments to smooth movements: coarticulation by dominance, and closures that are always reached.

Cohen and Massaro 1993, "Modeling coarticulation in synthetic visual speech": each segment pulls every articulator
towards its target with a dominance that falls off exponentially before and after it; the movement is the average
weighted by dominance.
"""

from __future__ import annotations

from collections import deque

import numpy as np
from numpy.typing import NDArray

from worker.engines.video.puppet.visemes import ARTICULATORS, VISEMES, Segment

STEP = 0.01
"""Seconds between the points of a track."""

LEAD = 0.045
"""The mouth is this much ahead of the sound, as a speaker's is."""

BEFORE, AFTER = 18.0, 22.0
"""How fast a dominance falls off before and after its segment, a second."""

REACH = 0.35
"""Seconds beyond which a segment no longer pulls."""

_PARTING = [ARTICULATORS.index(name) for name in ("jaw", "upper", "lower", "tuck")]
_WIDE, _PRESS, _TUCK, _JAW = (ARTICULATORS.index(name) for name in ("wide", "press", "tuck", "jaw"))


class Articulation:
    """Segments go in as they become known, the mouth's shape at a moment comes out; old segments are forgotten."""

    def __init__(self) -> None:
        self._segments: deque[Segment] = deque()

    def add(self, segments: list[Segment]) -> None:
        """In order of time."""
        self._segments.extend(segments)

    def forget(self, before: float) -> None:
        """Drops what no longer pulls at `before` seconds."""
        while self._segments and self._segments[0].end < before - REACH - 0.1:
            self._segments.popleft()

    def at(self, moment: float, frame: float) -> NDArray[np.float32]:
        """The articulators at `moment` seconds of sound, averaged over 30 ms; (len(ARTICULATORS),).

        frame: seconds a frame lasts: a closure takes hold of the frame nearest to it.
        """
        time = moment + LEAD
        near = [part for part in self._segments if part.start < time + REACH and part.end > time - REACH]
        if not near:
            return np.zeros(len(ARTICULATORS), np.float32)
        points = time + STEP * np.array([-1.0, 0.0, 1.0])
        shape = _blend(near, points) @ np.full(3, 1 / 3)
        return _close(shape, near, time, frame).astype(np.float32)


def _blend(near: list[Segment], points: NDArray[np.float64]) -> NDArray[np.float64]:
    """(articulators, points): the targets averaged by dominance; rest pulls faintly always."""
    starts, ends = np.array([part.start for part in near]), np.array([part.end for part in near])
    targets = np.stack([part.viseme.target for part in near])
    insists = np.stack([part.viseme.dominance for part in near])
    inset = np.minimum(0.25 * (ends - starts), 0.02)[:, None]
    ahead = np.maximum(starts[:, None] + inset - points[None], 0)
    behind = np.maximum(points[None] - ends[:, None] + inset, 0)
    fall = np.exp(-BEFORE * ahead - AFTER * behind)
    weight = insists[:, :, None] * fall[:, None, :]
    total = weight.sum(axis=0) + 0.02
    return np.asarray((weight * targets[:, :, None]).sum(axis=0) / total)


def _close(shape: NDArray[np.float64], near: list[Segment], time: float, frame: float) -> NDArray[np.float64]:
    """Lips meet for p b m and teeth meet the lip for f v, whatever the neighbours pull."""
    for part in near:
        if not (part.viseme.closed or part.viseme.tucked):
            continue
        away = max(abs(time - (part.start + part.end) / 2) - max(frame, part.end - part.start) / 2, 0.0)
        hold = float(np.exp(-((away / 0.030) ** 2)))
        shut = shape.copy()
        shut[_PARTING] = 0
        shut[_WIDE] *= 0.0 if part.viseme.closed else 0.3
        shut[_PRESS] = part.viseme.target[_PRESS]
        shut[_TUCK] = part.viseme.target[_TUCK]
        shut[_JAW] = part.viseme.target[_JAW]
        shape = shape + (shut - shape) * hold
    return shape


def still(start: float, end: float) -> Segment:
    """Silence."""
    return Segment(VISEMES["rest"], start, end)
