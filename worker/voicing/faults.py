"""What is wrong with speech, as far as it can be told without understanding it."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from worker.voicing.lengths import Lengths
from worker.voicing.levels import FRAME_S, SILENCE_DB, Sound, levels, sounding

Fault = Literal["empty", "broken", "silent", "clipped", "runaway", "short", "monotone", "halted"]
"""Nothing at all; not numbers; nothing to hear; cut off at full scale; much too long for its text; much too short; one
even hum or noise; a long silence in the middle, or instead of the end."""

_FULL, _CLIPPED = 0.985, 0.05
"""The share of the samples that may be at full scale: of speech at -16 LUFS none are, of speech that is overloaded by
12 dB a tenth."""
_HALT_S, _REST_S = 2.5, 2.0
"""The longest silence within a sentence, and after it where a good deal of the sentence may be missing."""
_HALF = 1.6
"""Times the least length: about two thirds of what the text usually takes."""
_EVEN_DB, _EVEN_S = 2.5, 1.2
"""Frames of speech differ in level by 4 dB and more (standard deviation); those of a single long vowel, by 2."""


def fault(sound: Sound, sample_rate: int, lengths: Lengths) -> Fault | None:
    """The first that is found in the whole of a sentence; None where it may be good."""
    if not sound.size:
        return "empty"
    if not np.isfinite(sound).all():
        return "broken"
    level = levels(sound, sample_rate)
    if not level.size or level.max() < SILENCE_DB:
        return "silent"
    if (np.abs(sound) >= _FULL).mean() > _CLIPPED:
        return "clipped"
    if sound.size / sample_rate > lengths.most_s:
        return "runaway"
    return _of_what_is_heard(level, lengths)


def _of_what_is_heard(level: NDArray[np.float32], lengths: Lengths) -> Fault | None:
    (heard,) = np.nonzero(sounding(level))
    said_s = (int(heard[-1]) + 1 - int(heard[0])) * FRAME_S
    if said_s < lengths.least_s:
        return "short"
    if said_s > _EVEN_S and float(level[heard].std()) < _EVEN_DB:
        return "monotone"
    rest_s = (level.size - 1 - int(heard[-1])) * FRAME_S
    halted = rest_s > _REST_S and said_s < _HALF * lengths.least_s
    return "halted" if halted or int(np.diff(heard).max(initial=0)) * FRAME_S > _HALT_S else None
