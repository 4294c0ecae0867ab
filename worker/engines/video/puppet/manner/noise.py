"""Chance that is the same each time: dice from a seed, and slow noise made of sines."""

from __future__ import annotations

import math
from random import Random

HERTZ = (0.11, 0.23, 0.41)
"""The slowest that each of a noise's sines may be; each is up to 1.6 times as fast."""

SIZES = (0.55, 0.30, 0.15)
"""How large each sine is; they add up to 1."""


def dice(seed: str, of: str) -> Random:
    """Dice of one part's own, so that how often one part throws changes nothing in another."""
    return Random(f"{seed}:{of}")  # noqa: S311 - a face, not a secret


class Noise:
    """-1 to 1, band limited: nothing in it is faster than 0.66 Hz."""

    def __init__(self, random: Random) -> None:
        self._sines = [
            (size, math.tau * hertz * random.uniform(1.0, 1.6), random.uniform(0.0, math.tau))
            for size, hertz in zip(SIZES, HERTZ, strict=True)
        ]

    def at(self, moment: float) -> float:
        sin = math.sin
        (a, f, p), (b, g, q), (c, h, r) = self._sines
        return a * sin(f * moment + p) + b * sin(g * moment + q) + c * sin(h * moment + r)


class LoopNoise:
    """-1 to 1 over a loop: sines that go round it one, two and three times."""

    def __init__(self, random: Random, seconds: float) -> None:
        self._sines = [
            (size, math.tau * turns / seconds, random.uniform(0.0, math.tau))
            for turns, size in enumerate(SIZES, start=1)
        ]

    def at(self, moment: float) -> float:
        return sum(size * math.sin(pace * moment + phase) for size, pace, phase in self._sines)
