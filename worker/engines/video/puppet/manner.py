"""What a face does beside speaking: it blinks, sways, nods on stress, and shows the reply's tone.

Deterministic: the same seed moves in the same way, so that a clip can be made again.
"""

from __future__ import annotations

import math
import random
from collections import deque
from dataclasses import dataclass

from core.kinds import Tone

BLINK = (0.35, 0.8, 1.0, 0.75, 0.4, 0.15)
"""Lids over a blink, 40 ms apart: shut fast, opened slowly (about 0.2 s, Bentivoglio et al. 1997)."""

TONES: dict[Tone, dict[str, float]] = {
    Tone.NEUTRAL: {"smile": 0.12},
    Tone.CHEERFUL: {"smile": 0.60, "brow": 0.25},
    Tone.GENTLE: {"smile": 0.22, "worry": 0.55},
    Tone.CALM: {"smile": 0.08},
    Tone.LIVELY: {"smile": 0.40, "brow": 0.55},
}
"""How far brows and corners of the mouth go at full intensity."""


@dataclass(frozen=True)
class Manner:
    """One moment: pulls of the muscles that speech leaves alone, lids 0–1, degrees of the head, sway of it."""

    muscles: dict[str, float]
    lids: float
    yaw: float
    pitch: float
    roll: float
    sway: tuple[float, float]


class Bearing:
    """Asked frame by frame, in order of time."""

    def __init__(self, seed: str, tone: Tone, intensity: float) -> None:
        self._random = random.Random(seed)  # noqa: S311 - a face, not a secret
        self._strength = 0.4 + 0.6 * min(max(intensity, 0.0), 1.0)
        self._tone = TONES[tone]
        self._waves = [self._wave() for _ in range(5)]
        self._blink_at = self._random.uniform(0.8, 2.0)
        self._nods: deque[float] = deque(maxlen=8)

    def stress(self, moment: float) -> None:
        """A stressed syllable: every so often the head and brows go with it."""
        if (not self._nods or moment - self._nods[-1] > 0.6) and self._random.random() < 0.6:
            self._nods.append(moment)

    def at(self, moment: float, awake: float) -> Manner:
        """awake: 0 at the clip's first and last frame, 1 in between."""
        yaw, pitch, roll, x, y = (_noise(wave, moment) * awake for wave in self._waves)
        nod = sum(math.exp(-(((moment - at) / 0.12) ** 2)) for at in self._nods) * awake
        pulls = {name: pull * self._strength * awake for name, pull in self._tone.items()}
        pulls["brow"] = pulls.get("brow", 0.0) + 0.30 * nod
        return Manner(
            muscles=pulls,
            lids=self._lids(moment) if awake > 0.9 else 0.0,
            yaw=2.2 * yaw,
            pitch=1.2 * pitch + 1.1 * nod,
            roll=1.1 * roll,
            sway=(2.2 * x, 1.4 * y + 1.5 * nod),
        )

    def _wave(self) -> list[tuple[float, float]]:
        """Three sines (hertz, phase) of slow, unrelated periods."""
        return [(self._random.uniform(low, 1.6 * low), self._random.uniform(0, math.tau)) for low in (0.11, 0.23, 0.41)]

    def _lids(self, moment: float) -> float:
        since = moment - self._blink_at
        if since < 0:
            return 0.0
        place = since / 0.04
        if place >= len(BLINK):
            again = 0.3 if self._random.random() < 0.12 else self._random.uniform(1.8, 4.8)
            self._blink_at = moment + again
            return 0.0
        return BLINK[int(place)]


def _noise(wave: list[tuple[float, float]], moment: float) -> float:
    """About -1 … 1; slower sines are larger."""
    sizes = (0.55, 0.3, 0.15)
    return sum(
        size * math.sin(math.tau * hertz * moment + phase) for size, (hertz, phase) in zip(sizes, wave, strict=True)
    )
