"""From the library's samples to even, clickless speech."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from worker.engines.tts.espeak.spectrum import Filter, corrected
from worker.loudness import levelled

_FADE_S = 0.005


def finished(samples: NDArray[np.int16], sample_rate: int, pause_s: float, taps: Filter) -> NDArray[np.float32]:
    """float32 -1 … 1 at -16 LUFS, its spectrum corrected, faded at its ends, with a pause after it; no sample moves
    in time."""
    sound = samples.astype(np.float32) / 32768.0
    if sound.size:
        sound = levelled(corrected(sound, taps), sample_rate)
        _fade(sound, round(_FADE_S * sample_rate))
    return np.concatenate([sound, np.zeros(round(pause_s * sample_rate), np.float32)])


def _fade(sound: NDArray[np.float32], length: int) -> None:
    """In place: half a cosine at each end."""
    length = min(length, sound.size // 2)
    ramp = (0.5 - 0.5 * np.cos(np.pi * np.arange(length) / max(length, 1))).astype(np.float32)
    sound[:length] *= ramp
    sound[sound.size - length :] *= ramp[::-1]
