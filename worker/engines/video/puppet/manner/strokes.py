"""Nods and flashes of the brows that go with some of the stressed syllables.

Heads and brows move with prominent words, a little before them, and not with every one (Graf et al. 2002, "Visual
prosody: facial movements accompanying speech"; Flecha-García 2010 on brows: some 60 ms ahead of the pitch accent).
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from random import Random

from worker.engines.video.puppet.manner.curves import stroke


@dataclass(frozen=True)
class Shape:
    """Seconds to rise, to hold and to fall, and how long before the syllable the top is reached. sizes: the smallest
    and the largest. apart: seconds from one to the next at least, more than one lasts."""

    rise: float
    hold: float
    fall: float
    ahead: float
    sizes: tuple[float, float]
    apart: float


NOD = Shape(rise=0.14, hold=0.0, fall=0.21, ahead=0.04, sizes=(0.45, 1.0), apart=0.7)
"""Sizes are parts of the largest nod."""

BROW = Shape(rise=0.12, hold=0.10, fall=0.30, ahead=0.06, sizes=(0.5, 1.0), apart=1.1)

PHRASE = 0.9
"""Seconds without a stress after which the next one begins a phrase."""

DROOP = 0.85
"""How much smaller each stress of a phrase is than the one before it, as the voice's pitch declines."""


class Strokes:
    """Told of stresses in order of time, ahead of them; asked in order of time."""

    def __init__(self, shape: Shape, random: Random) -> None:
        self._shape, self._random = shape, random
        self._coming: deque[tuple[float, float]] = deque()
        self._last_stroke = self._last_stress = -10.0
        self._size = 1.0

    def stress(self, moment: float, chance: float) -> bool:
        """Whether the stressed syllable at `moment` gets one."""
        thrown, size = self._random.random(), self._random.uniform(*self._shape.sizes)
        begins = moment - self._last_stress > PHRASE
        self._size = 1.0 if begins else max(self._size * DROOP, 0.5)
        self._last_stress = moment
        if moment - self._last_stroke < self._shape.apart or thrown >= (1.5 if begins else 1.0) * chance:
            return False
        self._last_stroke = moment
        self._coming.append((moment - self._shape.ahead - self._shape.rise, size * self._size))
        return True

    def at(self, moment: float) -> float:
        """0 to 1."""
        shape, coming = self._shape, self._coming
        lasts = shape.rise + shape.hold + shape.fall
        while coming and moment - coming[0][0] >= lasts:
            coming.popleft()
        if not coming or moment <= coming[0][0]:
            return 0.0
        return coming[0][1] * stroke(moment - coming[0][0], shape.rise, shape.hold, shape.fall)
