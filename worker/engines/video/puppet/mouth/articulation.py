"""From segments to smooth movements: the mouth's shape at any moment of speech that comes piece by piece."""

from __future__ import annotations

import math
from bisect import bisect_left

import numpy as np
from numpy.typing import NDArray

from worker.engines.video.puppet.mouth.closures import Closure, closed
from worker.engines.video.puppet.mouth.dominance import REACH, Pulls, blend
from worker.engines.video.puppet.mouth.gestures import Gestures
from worker.engines.video.puppet.mouth.visemes import ARTICULATORS, Segment

RATE = 100
"""Points of the track a second."""

LEAD = 0.045
"""Seconds by which the mouth is ahead of the sound, as a speaker's is."""

CHUNK = 48
"""Points of the track that are reckoned at once."""

BLUR = (0.25, 0.5, 0.25)
"""Over points of the track: dominances have corners, muscles have none."""

NEAR = 0.12
"""Seconds beyond which a closure does not show."""

_NEVER = (0, 0)


class Articulation:
    """Segments go in as they become known, the mouth's shape at a moment comes out. It knows the segments that still
    pull and half a second of track, however long the speech."""

    def __init__(self) -> None:
        self._gestures = Gestures()
        self._pulls = Pulls.of([])
        self._closures: list[Closure] = []
        self._ends: list[float] = []
        self._track = np.zeros((0, len(ARTICULATORS)), np.float32)
        self._points = _NEVER

    def add(self, segments: list[Segment]) -> None:
        """In order of time, each phoneme whole."""
        for segment in segments:
            self._gestures.add(segment)
        self._compile()

    def forget(self, before: float) -> None:
        """Drops what no longer pulls at `before` seconds, once that is worth it."""
        live = self._gestures.live
        if len(live) > 16 and live[16].end < before - REACH - NEAR:
            self._gestures.forget(before - REACH - NEAR)
            self._compile()

    def at(self, moment: float, frame: float) -> NDArray[np.float32]:
        """The articulators at `moment` seconds of sound; (len(ARTICULATORS),).

        frame: seconds a frame lasts: a closure takes hold of the frame nearest to it.
        """
        time = moment + LEAD
        shape = self._smooth(time)
        first = bisect_left(self._ends, time - NEAR - frame)
        near = []
        for closure in self._closures[first : first + 4]:
            if closure.start - NEAR - frame > time:
                break
            near.append(closure)
        return closed(shape, near, time, frame) if near else shape

    def _compile(self) -> None:
        live = self._gestures.live
        self._pulls = Pulls.of(live)
        self._closures = [Closure.of(one) for one in live if one.viseme.closed or one.viseme.tucked]
        self._ends = [closure.end for closure in self._closures]
        self._points = _NEVER

    def _smooth(self, time: float) -> NDArray[np.float32]:
        """The track between two of its points; a new chunk where it ends."""
        place = time * RATE
        point = math.floor(place)
        if not self._points[0] <= point < self._points[1]:
            self._reckon(point)
        row, part = point - self._points[0], np.float32(place - point)
        return np.asarray(self._track[row] * (1 - part) + self._track[row + 1] * part)

    def _reckon(self, first: int) -> None:
        """The track of CHUNK points from `first` on, and of one more to lean on."""
        points = np.arange(first - 1, first + CHUNK + 2) / RATE
        raw = blend(self._pulls.between(float(points[0]), float(points[-1])), points)
        self._track = BLUR[0] * raw[:-2] + BLUR[1] * raw[1:-1] + BLUR[2] * raw[2:]
        self._points = (first, first + CHUNK)
