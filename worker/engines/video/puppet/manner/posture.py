"""How the head is held: it is never quite still, and settles anew at some of the pauses."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from worker.engines.video.puppet.manner.curves import Spring, smooth
from worker.engines.video.puppet.manner.noise import Noise

NOISE = (0.95, 0.60, 0.55)
"""Degrees of yaw, pitch and roll that the slow noise goes to."""

SETTLED = (1.3, 0.5, 0.8)
"""Degrees of yaw, pitch and roll that a posture goes to."""

SWAY = (2.2, 1.2)
"""Thousandths of the picture's width, across and down."""

PACE = 4.0
"""Of a change of posture: about a second."""

SETTLING_IN = 1.5
"""Seconds in which the noise grows to its size; a clip starts from the portrait's own posture."""

QUESTION = 1.8
"""Degrees of roll in a question."""


@dataclass(frozen=True)
class Held:
    """Degrees, and thousandths of the picture's width."""

    yaw: float
    pitch: float
    roll: float
    sway: tuple[float, float]


class Posture:
    """Told and asked in order of time."""

    def __init__(self, random: Random, lean: float) -> None:
        """lean: degrees of roll that the tone adds, to a side of its own choice."""
        self._random = random
        self._lean = lean * random.choice((-1, 1))
        self._noise = [Noise(random) for _ in range(5)]
        self._yaw, self._pitch, self._roll, self._tilt = (Spring(PACE) for _ in range(4))
        self._roll.towards(self._lean, 0.0)

    def shift(self, moment: float, chance: float) -> None:
        """A good moment to settle anew."""
        thrown = self._random.random()
        yaw, pitch, roll = (self._random.uniform(-most, most) for most in SETTLED)
        if thrown < chance:
            self._yaw.towards(yaw, moment)
            self._pitch.towards(pitch, moment)
            self._roll.towards(roll + self._lean, moment)

    def ask(self, moment: float, asked: bool) -> None:
        """A phrase begins; in a question the head tilts."""
        side = self._random.choice((-1, 1))
        self._tilt.towards(side * QUESTION if asked else 0.0, moment)

    def at(self, moment: float) -> Held:
        size = smooth(moment / SETTLING_IN)
        yaw, pitch, roll, x, y = (size * noise.at(moment) for noise in self._noise)
        return Held(
            NOISE[0] * yaw + self._yaw.at(moment),
            NOISE[1] * pitch + self._pitch.at(moment),
            NOISE[2] * roll + self._roll.at(moment) + self._tilt.at(moment),
            (SWAY[0] * x, SWAY[1] * y),
        )
