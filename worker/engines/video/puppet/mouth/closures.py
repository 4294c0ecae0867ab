"""Closures that are always reached: lips that meet for ب م p b m, the lower lip at the teeth for ف f v."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from worker.engines.video.puppet.mouth.gestures import Gesture
from worker.engines.video.puppet.mouth.visemes import JAW, LOWER, PRESS, TIP, TUCK, UPPER, WIDE, Viseme

SHORTEST = 0.04
"""Seconds that a closure takes at least."""

LONGEST_STOP = 0.11
"""Seconds after which a stop that is not doubled opens, though its sound trails on."""

INSET = (0.2, 0.03)
"""The part of its sound, and the seconds at most, in which a closure is made, and in which it is undone."""

CLOSING = 0.025
"""Seconds (of a Gaussian) in which the lips close, through in-betweens."""

OPENING = {"burst": 0.006, "gentle": 0.020}
"""Seconds in which they part: a stop's at one step, those of /m f v/ in two or three."""

_PARTING = [JAW, UPPER, LOWER, TUCK, TIP]


@dataclass(frozen=True)
class Closure:
    """Held from start to end, seconds."""

    viseme: Viseme
    start: float
    end: float

    @classmethod
    def of(cls, gesture: Gesture) -> Closure:
        longest = LONGEST_STOP if gesture.viseme.burst and not gesture.doubled else math.inf
        length = min(gesture.end - gesture.start, longest)
        inset = min(INSET[0] * length, INSET[1], (length - SHORTEST) / 2)
        return cls(gesture.viseme, gesture.start + inset, gesture.start + length - inset)

    def hold(self, time: float, frame: float) -> float:
        """1 while it is held, falling to 0 around it. frame: seconds; the frame nearest to the middle is always held,
        however the frames fall."""
        spare = max(frame - (self.end - self.start), 0) / 2 + 1e-6
        before, after = self.start - spare - time, time - self.end - spare
        if before > 0:
            return math.exp(-((before / CLOSING) ** 2))
        if after > 0:
            return math.exp(-((after / OPENING["burst" if self.viseme.burst else "gentle"]) ** 2))
        return 1.0

    def shut(self, shape: NDArray[np.float32], hold: float) -> NDArray[np.float32]:
        """The shape, that much closed; roundness stays."""
        goal = shape.copy()
        goal[_PARTING] = 0
        goal[WIDE] *= 0.0 if self.viseme.closed else 0.3
        goal[PRESS], goal[TUCK] = self.viseme.target[PRESS], self.viseme.target[TUCK]
        if self.viseme.tucked:
            goal[JAW] = self.viseme.target[JAW]
        return shape + np.float32(hold) * (goal - shape)


def closed(shape: NDArray[np.float32], near: list[Closure], time: float, frame: float) -> NDArray[np.float32]:
    """The shape with every closure near `time` laid over it, the one that is held most last."""
    held = [(closure.hold(time, frame), -abs(closure.start + closure.end - 2 * time), closure) for closure in near]
    for hold, _, closure in sorted(held, key=lambda one: one[:2]):
        if hold > 1e-3:
            shape = closure.shut(shape, hold)
    return shape
