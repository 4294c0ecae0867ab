"""Where the eyes look: at the camera, a little beside it, and sometimes away.

Directions are degrees from the camera, to the viewer's right and down; they do not depend on how the head is turned
(the vestibulo-ocular reflex: the eyes counter its turns). Saccades last 2.2 ms a degree and 21 ms (Carpenter 1988).
People look away where they think of what to say, and back when they have it (Kendon 1967).
"""

from __future__ import annotations

import math
from random import Random

from worker.engines.video.puppet.manner.curves import smooth

MICRO = (0.4, 0.25)
"""Degrees beside the camera, across and down, at most while looking at it."""

FIXATION = (0.3, 1.2)
"""Seconds between small saccades."""

APART = 4.5
"""Seconds from one glance away to the next, at least."""

Direction = tuple[float, float]


def saccade_seconds(degrees: float) -> float:
    return 0.021 + 0.0022 * degrees


class Gaze:
    """Told and asked in order of time."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._from: Direction = (0.0, 0.0)
        self._to: Direction = (0.0, 0.0)
        self._since, self._lasts = 0.0, 0.03
        self._next = random.uniform(*FIXATION)
        self._glanced = -APART / 2

    def glance(self, moment: float, chance: float) -> bool:
        """A good moment to look away; whether it is taken."""
        self._advance(moment)
        thrown = self._random.random()
        if thrown >= chance or moment - self._glanced < APART or math.isinf(self._next):
            return False
        side = self._random.choice((-1, 1))
        across, down = self._random.uniform(2.5, 5.0), self._random.triangular(-1.0, 4.0, 2.0)
        self._turn(moment, (side * across, down))
        self._next = moment + self._random.uniform(0.3, 0.7)
        self._glanced = moment
        return True

    def rest(self, moment: float) -> None:
        """From then on the eyes look into the camera."""
        self._advance(moment)
        self._turn(moment, (0.0, 0.0))
        self._next = math.inf

    def at(self, moment: float) -> Direction:
        self._advance(moment)
        return self._place(moment)

    def _advance(self, moment: float) -> None:
        while self._next <= moment:
            start, random = self._next, self._random
            self._turn(start, (random.uniform(-MICRO[0], MICRO[0]), random.uniform(-MICRO[1], MICRO[1])))
            self._next = start + random.uniform(*FIXATION)

    def _turn(self, moment: float, to: Direction) -> None:
        self._from, self._to, self._since = self._place(moment), to, moment
        self._lasts = saccade_seconds(math.dist(self._from, to))

    def _place(self, moment: float) -> Direction:
        part = smooth((moment - self._since) / self._lasts)
        (x, y), (to_x, to_y) = self._from, self._to
        return x + part * (to_x - x), y + part * (to_y - y)
