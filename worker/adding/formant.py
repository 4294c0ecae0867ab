"""eSpeak's settings for a speaker: the nearest of its variants, and pitch, rate and range from the recording.

The tables were measured with `worker.adding.listening` on eSpeak NG 1.52 speaking Arabic and English sentences.
"""

from __future__ import annotations

import numpy as np

from worker.adding.listening import Heard

MEN = {"m8": 85.0, "m1": 93.0, "m5": 102.0, "m3": 104.0}
WOMEN = {"f4": 178.0, "f1": 178.0, "f5": 202.0, "f3": 207.0}
"""Median hertz of each variant at pitch 50; the shipped voices' variants are left out."""
WOMAN, CHILD = 152.0, 260.0
"""Hertz from which a voice is taken for a woman's, and for a child's."""
PITCH = (0, 10, 25, 40, 50, 60, 75, 90, 99)
FACTOR = (0.68, 0.72, 0.80, 0.905, 1.0, 1.10, 1.28, 1.51, 1.67)
"""Median hertz over that at pitch 50."""
RATE = (100, 120, 140, 160, 180, 200, 230)
SYLLABLES = (3.15, 3.6, 4.2, 4.7, 5.15, 5.4, 5.9)
"""Syllables a second at a rate."""
RANGE = (0, 25, 50, 75, 100)
SEMITONES = (0.3, 2.8, 5.2, 7.1, 8.8)
"""Between the 10th and the 90th percentile of the pitch."""
RATES, RANGES = (120, 205), (20, 90)
"""Beyond them the engine is hard to understand, or sings."""


def fitted(heard: Heard) -> dict[str, str | int]:
    """The table [engines.espeak] of a voice."""
    hertz = float(np.median(heard.voiced))
    low, high = np.percentile(12 * np.log2(heard.voiced / hertz), [10, 90])
    variant, base = _variant(hertz)
    return {
        "variant": variant,
        "rate": int(np.clip(np.interp(heard.syllables, SYLLABLES, RATE), *RATES)),
        "pitch": round(float(np.interp(hertz / base, FACTOR, PITCH))),
        "range": int(np.clip(np.interp(high - low, SEMITONES, RANGE), *RANGES)),
    }


def _variant(hertz: float) -> tuple[str, float]:
    """The variant that needs the least shift; a child's voice is the highest woman's, shifted up."""
    group = MEN if hertz < WOMAN else WOMEN
    if hertz >= CHILD:
        group = {"f3": WOMEN["f3"]}
    return min(group.items(), key=lambda entry: abs(np.log(hertz / entry[1])))
