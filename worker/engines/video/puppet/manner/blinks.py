"""When the eyes blink, and how the lids go.

Intervals between spontaneous blinks of people who talk: log-normal, some 15 to 25 a minute (Bentivoglio et al. 1997,
"Analysis of blink rate patterns in normal subjects"); blinks gather where a phrase ends and go with large shifts of
gaze (Evinger et al. 1994, "Not looking while leaping"). Lids shut about twice as fast as they open.
"""

from __future__ import annotations

import math
from random import Random

from worker.engines.video.puppet.manner.curves import smooth

CLOSING, SHUT, OPENING = 0.100, 0.042, 0.200
"""Seconds of a blink. Shut for a frame at 24 or more a second, wherever the frames lie."""

LENGTH = CLOSING + SHUT + OPENING
"""Seconds of a whole blink."""

MEDIAN, SPREAD = 3.9, 0.45
"""Of the intervals: seconds, and the standard deviation of their logarithm."""

SHORTEST, LONGEST = 1.0, 7.5
"""Seconds between blinks, double ones aside."""

DOUBLE = 0.10
"""How many blinks are followed by another at once."""

STARTS_AFTER, ENDS_BEFORE = 0.4, 0.5
"""Seconds of a clip's start and of its end in which no blink begins."""


def lids(since: float) -> float:
    """How far a blink has shut the lids, 0 to 1, `since` seconds after it began."""
    if since <= 0 or since >= LENGTH:
        return 0.0
    if since < CLOSING:
        return smooth(since / CLOSING)
    if since < CLOSING + SHUT:
        return 1.0
    return 1 - smooth(math.pow((since - CLOSING - SHUT) / OPENING, 0.85))  # quick off, slow at last


class Blinks:
    """Told and asked in order of time."""

    def __init__(self, random: Random, hints: Random) -> None:
        """random: for the intervals; hints: for what is made of hints."""
        self._random, self._hints = random, hints
        self._last = -math.inf
        self._again: float | None = None
        self._next = STARTS_AFTER + random.uniform(0.3, 2.4)
        self._until = math.inf

    def hint(self, moment: float, chance: float) -> None:
        """A good moment to blink: it is taken with `chance`, less where a blink was short before."""
        thrown = self._hints.random()
        since = moment - max(self._last, self._again or 0.0, 0.0)
        if thrown < chance * min(since / 3, 1.0) and since >= SHORTEST and moment < self._next:
            self._next = max(moment, STARTS_AFTER)

    def end(self, moment: float) -> None:
        """The clip ends then."""
        self._until = moment - ENDS_BEFORE

    def at(self, moment: float) -> float:
        """0 open to 1 shut."""
        while self._next <= moment and self._next <= self._until:
            self._begin(self._next)
        shut = lids(moment - self._last)
        if self._again is not None and self._again <= self._until:
            shut = max(shut, lids(moment - self._again))
        return shut

    def _begin(self, moment: float) -> None:
        self._last = moment
        double = self._random.random() < DOUBLE
        gap = self._random.uniform(LENGTH - 0.04, LENGTH + 0.10)
        self._again = moment + gap if double else None
        interval = self._random.lognormvariate(math.log(MEDIAN), SPREAD)
        self._next = (self._again or moment) + min(max(interval, SHORTEST), LONGEST)
