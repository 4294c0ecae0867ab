"""From segments to gestures: doubled consonants are one, vowels go by length and stress, pauses rest and breathe."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from worker.engines.video.puppet.mouth.visemes import JAW, LOWER, ROUND, UPPER, VISEMES, WIDE, Segment, Viseme

PAUSE = 0.15
"""Seconds of silence from which the lips come to rest; in less they stay on their way."""

SETTLE = 0.08
"""Seconds of silence after which a mouth begins to rest; it is there some 70 ms later."""

BREATH_PAUSE = 0.40
"""Seconds of silence from which a breath is taken before going on."""

BREATH = (0.155, 0.04)
"""Seconds before speech between which the lips part for it (what is heard comes LEAD later)."""

UNDERSHOOT = (0.25, 0.07)
"""Lindblom 1963: a vowel misses its target by a part that falls off exponentially with its length, seconds."""

STRESS = 1.06
"""How much further a stressed vowel goes."""

EFFORT = (0.6, 1.4)
"""Limits of a segment's effort."""

_REDUCED = [JAW, WIDE, ROUND, UPPER, LOWER]
_OPENING = [JAW, UPPER, LOWER]


@dataclass(eq=False)
class Gesture:
    """What the mouth is asked to do between two moments, seconds (a rest may be endless)."""

    viseme: Viseme
    start: float
    end: float
    target: NDArray[np.float32]
    doubled: bool = False


class Gestures:
    """Segments go in in order of time; `live` holds what was not yet forgotten, in order of time."""

    def __init__(self) -> None:
        self.live: list[Gesture] = []
        self._spoken = -math.inf
        self._marked = False

    def add(self, segment: Segment) -> None:
        """A silence (a still segment) is like no segment; a short one, that is marked so, shuts the mouth as well."""
        if segment.viseme.still:
            self._marked = True
            return
        if self.live and self.live[-1].viseme.still:
            self.live.pop()
        last = self.live[-1] if self.live else None
        gap = segment.start - self._spoken
        if last and last.viseme is segment.viseme and not last.viseme.vowel and gap < 0.03:
            last.end, last.doubled = segment.end, True
        else:
            self._pass(gap, segment.start)
            self.live.append(Gesture(segment.viseme, segment.start, segment.end, _target(segment)))
        self._spoken, self._marked = segment.end, False
        self._rest(self._settled(), math.inf)

    def forget(self, before: float) -> None:
        """Drops what ends before that moment."""
        count = 0
        while count < len(self.live) and self.live[count].end < before:
            count += 1
        del self.live[:count]

    def _pass(self, gap: float, start: float) -> None:
        """What the mouth does in a silence that ends at `start`."""
        if gap >= BREATH_PAUSE:
            self._rest(self._settled(), start - BREATH[0])
            breath = VISEMES["breath"]
            self.live.append(Gesture(breath, start - BREATH[0], start - BREATH[1], breath.target))
        elif gap >= PAUSE:
            self._rest(self._settled(), start - BREATH[1])
        elif self._marked and gap > 0:
            self._rest(self._spoken, start)

    def _settled(self) -> float:
        """When the mouth begins to rest after what was said last; lips that are shut stay so."""
        shut = bool(self.live) and self.live[-1].viseme.closed
        return self._spoken + (0.0 if shut else SETTLE)

    def _rest(self, start: float, end: float) -> None:
        rest = VISEMES["rest"]
        self.live.append(Gesture(rest, start, end, rest.target))


def _target(segment: Segment) -> NDArray[np.float32]:
    """The viseme's target, as far as this segment goes."""
    viseme = segment.viseme
    if viseme.closed or viseme.tucked:
        return viseme.target
    target = viseme.target.copy()
    if viseme.vowel:
        target[_REDUCED] *= _reach(segment)
    target[_OPENING] *= min(max(segment.effort, EFFORT[0]), EFFORT[1])
    return np.minimum(target, 1)


def _reach(segment: Segment) -> float:
    """How much of a vowel's target is reached."""
    missed = 0.0 if segment.long else UNDERSHOOT[0] * math.exp(-(segment.end - segment.start) / UNDERSHOOT[1])
    return (1 - missed) * (STRESS if segment.stressed else 1.0)
