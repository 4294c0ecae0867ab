"""From the library's samples to even, clickless speech."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_TARGET_RMS = 0.1
"""-20 dBFS while speaking, about -20 LUFS for one voice."""
_PEAK = 0.92
_MOST_GAIN = 3.0
_SILENT = 0.01
_FADE_S = 0.004


def finished(samples: NDArray[np.int16], sample_rate: int, pause_s: float) -> NDArray[np.float32]:
    """float32 -1 … 1 at one loudness, faded at its ends, with a pause after it; no sample moves in time."""
    sound = samples.astype(np.float32) / 32768.0
    if sound.size:
        sound *= _gain(sound)
        _fade(sound, round(_FADE_S * sample_rate))
    return np.concatenate([sound, np.zeros(round(pause_s * sample_rate), np.float32)])


def _gain(sound: NDArray[np.float32]) -> float:
    """To the target's loudness as far as the peaks allow."""
    loud = sound[np.abs(sound) > _SILENT]
    if not loud.size:
        return 1.0
    rms = float(np.sqrt(np.mean(np.square(loud))))
    return min(_TARGET_RMS / rms, _PEAK / float(np.abs(sound).max()), _MOST_GAIN)


def _fade(sound: NDArray[np.float32], length: int) -> None:
    length = min(length, sound.size // 2)
    ramp = np.linspace(0.0, 1.0, length, endpoint=False, dtype=np.float32)
    sound[:length] *= ramp
    sound[sound.size - length :] *= ramp[::-1]
