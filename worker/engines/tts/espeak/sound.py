"""From the library's samples to even, clickless speech."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from worker.engines.tts.espeak.spectrum import Filter, corrected
from worker.loudness import levelled
from worker.voicing.ends import FADE_S, fade


def finished(samples: NDArray[np.int16], sample_rate: int, pause_s: float, taps: Filter) -> NDArray[np.float32]:
    """float32 -1 … 1 at -16 LUFS, its spectrum corrected, faded at its ends, with a pause after it; no sample moves
    in time."""
    sound = samples.astype(np.float32) / 32768.0
    if sound.size:
        sound = levelled(corrected(sound, taps), sample_rate)
        fade(sound, round(FADE_S * sample_rate))
    return np.concatenate([sound, np.zeros(round(pause_s * sample_rate), np.float32)])
