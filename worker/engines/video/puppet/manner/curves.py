"""Curves that a face moves along: eased steps, strokes that come and go, and a spring that follows a changing goal."""

from __future__ import annotations

import math


def smooth(t: float) -> float:
    """0 up to 0, 1 from 1 on, smooth between (smoothstep); its steepest slope is 1.5."""
    t = min(max(t, 0.0), 1.0)
    return t * t * (3 - 2 * t)


def stroke(since: float, rise: float, hold: float, fall: float) -> float:
    """From 0 up to 1 in `rise` seconds, there for `hold`, back to 0 in `fall`. since: seconds from its beginning."""
    if since < rise:
        return smooth(since / rise)
    return 1 - smooth((since - rise - hold) / fall)


class Spring:
    """A value that follows its goal as a critically damped spring does: without a jump of place or speed, without
    overshoot. Asked and told in order of time; exact at every moment, however far apart they are."""

    def __init__(self, pace: float) -> None:
        """pace: a second; nine tenths of the way are done after 3.9 / pace seconds. It rests at 0."""
        self._pace = pace
        self._goal = self._away = self._speed = self._since = 0.0

    def towards(self, goal: float, moment: float) -> None:
        """From `moment` seconds on it follows `goal`."""
        away, speed = self._state(moment)
        self._away, self._speed = self._goal + away - goal, speed
        self._goal, self._since = goal, moment

    def at(self, moment: float) -> float:
        return self._goal + self._state(moment)[0]

    def _state(self, moment: float) -> tuple[float, float]:
        """How far from the goal, and the speed."""
        passed = max(moment - self._since, 0.0)
        slope = self._speed + self._pace * self._away
        left = math.exp(-self._pace * passed)
        away = (self._away + slope * passed) * left
        return away, slope * left - self._pace * away
