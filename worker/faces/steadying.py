"""An alignment that follows a face without trembling.

The one-euro filter (Casiez, Roussel, Vogel 2012, "1 € Filter"): a low pass whose cutoff grows with the speed, so that
what stands still stands still and what moves is followed. It looks back only: films are drawn as they come.
"""

from __future__ import annotations

import cmath
import math

import numpy as np
from numpy.typing import NDArray

from worker.faces.aligned import Alignment

RATE = 25.0
"""Frames a second: of all our films nearly so."""
_REST_HZ, _GAIN, _SPEED_HZ = 0.7, 3.0, 1.0
"""Cutoff of what stands still; what it grows by with a speed of one side a second; cutoff of the speed itself. A face
that follows a nod (a quarter of its side a second) lags by 3 % of the side, which the networks don't mind."""
_JUMP = 0.3
"""Sides from frame to frame: then it is another face, or another take."""

Values = NDArray[np.float64]


class Steady:
    """State of one film."""

    def __init__(self) -> None:
        self._at: Values | None = None
        self._seen = self._speed = np.zeros(4)

    def followed(self, seen: Alignment) -> Alignment:
        """The first one is taken as it is."""
        values = _values(seen)
        if self._at is None or self._jumps(values):
            self._at, self._speed = values, np.zeros(4)
        else:
            self._at = self._at + self._share(values) * (values - self._at)
        self._seen = values
        return _alignment(self._at)

    def forget(self) -> None:
        self._at = None

    def _jumps(self, values: Values) -> bool:
        move = values - self._seen
        return bool(math.hypot(*move[:2]) > _JUMP * math.exp(values[2]) or abs(move[2]) > _JUMP)

    def _share(self, values: Values) -> Values:
        """How much of the way to the new values is gone. Both directions of a movement share one speed."""
        unit = np.array([math.exp(values[2])] * 2 + [1.0, 1.0])
        self._speed = self._speed + _gain(_SPEED_HZ) * ((values - self._seen) * RATE / unit - self._speed)
        fast = np.abs(self._speed)
        fast[:2] = math.hypot(*self._speed[:2])
        return np.array([_gain(_REST_HZ + _GAIN * speed) for speed in fast])


def _gain(cutoff: float) -> float:
    """Of a first-order low pass at RATE."""
    turn = 2 * math.pi * cutoff / RATE
    return turn / (1 + turn)


def _values(how: Alignment) -> Values:
    """Middle x and y in pixels, logarithm of the side, angle in radians."""
    return np.array([how.middle.real, how.middle.imag, math.log(how.side), cmath.phase(how.turn)])


def _alignment(values: Values) -> Alignment:
    turn = cmath.rect(math.exp(-values[2]), values[3])
    return Alignment(turn, complex(0.5, 0.5) - turn * complex(values[0], values[1]))
