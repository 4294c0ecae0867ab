"""The beginning and the end of a sentence's sound."""

from __future__ import annotations

import numpy as np

from worker.voicing.levels import FRAME_S, Sound, levels, sounding

FADE_S = 0.005
KEPT_S = 0.03
"""What stays of the silence on each side: a plosive's closure, a vowel that dies away."""


def fade(sound: Sound, length: int) -> None:
    """In place: half a cosine of so many samples at each end."""
    length = min(length, sound.size // 2)
    ramp = (0.5 - 0.5 * np.cos(np.pi * np.arange(length) / max(length, 1))).astype(np.float32)
    sound[:length] *= ramp
    sound[sound.size - length :] *= ramp[::-1]


def extent(sound: Sound, sample_rate: int) -> tuple[int, int]:
    """The samples from which and up to which something is said, KEPT_S on each side included; (0, 0) for silence."""
    (heard,) = np.nonzero(sounding(levels(sound, sample_rate)))
    if not heard.size:
        return 0, 0
    size, kept = round(FRAME_S * sample_rate), round(KEPT_S * sample_rate)
    return max(int(heard[0]) * size - kept, 0), min((int(heard[-1]) + 1) * size + kept, sound.size)
