"""Mouth shapes from the sound alone, where the phonemes are not known.

An honest approximation: the jaw follows the loudness, hiss (most energy above 2 kHz) bares the teeth, a dark vowel
(most energy below 500 Hz) rounds the lips. It keeps time and opens and shuts with the syllables; it can't tell /m/
from a pause.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from worker.engines.tts.base import Speech
from worker.engines.video.puppet.visemes import VISEMES, Segment, Viseme

WINDOW = 0.04
"""Seconds of sound a segment."""


class LoudnessReader:
    """Speech to segments; the loudest sound so far sets the scale."""

    def __init__(self) -> None:
        self._peak = 0.05

    def segments(self, speech: Speech, start: float) -> list[Segment]:
        """One segment a window, from `start` seconds on."""
        length = max(1, round(WINDOW * speech.sample_rate))
        parts = []
        for first in range(0, len(speech.samples), length):
            window = speech.samples[first : first + length]
            begin = start + first / speech.sample_rate
            parts.append(
                Segment(self._shape(window, speech.sample_rate), begin, begin + len(window) / speech.sample_rate)
            )
        return parts

    def _shape(self, window: NDArray[np.float32], rate: int) -> Viseme:
        level = float(np.sqrt(np.mean(np.square(window, dtype=np.float64)))) if len(window) else 0.0
        self._peak = max(self._peak * 0.999, level)
        opening = (level / self._peak) ** 0.7
        if opening < 0.12:
            return VISEMES["rest"]
        power = np.abs(np.fft.rfft(window * np.hanning(len(window)))) ** 2
        hertz = np.fft.rfftfreq(len(window), 1 / rate)
        total = float(power.sum()) + 1e-12
        if float(power[hertz > 2000].sum()) / total > 0.6:
            return VISEMES["sz"]
        return _opened(opening, float(power[hertz < 500].sum()) / total)


def _opened(opening: float, dark: float) -> Viseme:
    """Between schwa and a, rounded as the vowel is dark."""
    base = VISEMES["oo"] if dark > 0.8 else VISEMES["aa"] if opening > 0.6 else VISEMES["uh"]
    target = base.target.copy()
    target[0] = 0.65 * opening
    return Viseme(base.name, target, base.dominance)
