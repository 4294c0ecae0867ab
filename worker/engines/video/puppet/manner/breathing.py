"""The chest: a quiet breath about fourteen times a minute, and a quick one where the speech pauses for it."""

from __future__ import annotations

from random import Random

from worker.engines.video.puppet.manner.curves import smooth

CYCLE = 60 / 14
"""Seconds of a quiet breath."""

INWARDS = 0.40
"""The part of it in which the chest rises."""

DEPTH = 0.62
"""How far a quiet breath goes; a breath for speaking goes to 1."""

FULL = 0.6
"""From which level on nobody breathes in."""


class Breathing:
    """Told and asked in order of time."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._from, self._to = 0.0, 0.0
        self._start, self._end = 0.0, random.uniform(0.1, 0.6)

    def gasp(self, moment: float, seconds: float) -> None:
        """A breath in for the next sentence, `seconds` long, unless the chest is full."""
        self._advance(moment)
        depth, level = self._random.uniform(0.85, 1.0), self._level(moment)
        if level < FULL:
            self._turn(level, depth, moment, seconds)

    def at(self, moment: float) -> float:
        """0 out to 1 in."""
        self._advance(moment)
        return self._level(moment)

    def _advance(self, moment: float) -> None:
        while self._end <= moment:
            if self._to > 0.3:
                out = (1 - INWARDS) * CYCLE * self._random.uniform(0.9, 1.1)
                self._turn(self._to, self._random.uniform(0.0, 0.08), self._end, out * max(self._to / DEPTH, 1.0))
            else:
                depth = DEPTH * self._random.uniform(0.85, 1.15)
                self._turn(self._to, depth, self._end, INWARDS * CYCLE * self._random.uniform(0.9, 1.1))

    def _turn(self, level: float, to: float, start: float, seconds: float) -> None:
        self._from, self._to, self._start, self._end = level, to, start, start + seconds

    def _level(self, moment: float) -> float:
        part = smooth((moment - self._start) / (self._end - self._start))
        return self._from + part * (self._to - self._from)
