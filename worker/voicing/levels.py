"""Where in a sound something is said."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Sound = NDArray[np.float32]
"""(n,) mono, -1 … 1."""

FRAME_S = 0.01
SILENCE_DB = -60.0
"""Of full scale, as a root mean square: where no frame is louder nothing is said."""
_FLOOR_DB = -80.0
"""Below it a frame is silent, whatever else there is."""
_QUIET_DB = 40.0
"""Below the sound's loud frames: as good as silent. Speech has its faintest consonants about 35 dB below its vowels."""
_LOUD = 95
"""Per cent of the frames that are fainter than the loud ones: a click is none of them."""


def levels(sound: Sound, sample_rate: int) -> NDArray[np.float32]:
    """(n // frame,): dB of full scale of each frame, direct current left out, as is a rest of less than a frame."""
    size = round(FRAME_S * sample_rate)
    frames = sound[: sound.size // size * size].reshape(-1, size)
    power = np.einsum("fs,fs->f", frames, frames) / np.float32(size) - np.square(frames.mean(axis=1))
    return np.asarray(10 * np.log10(np.maximum(power, 0) + 1e-12), np.float32)


def sounding(level: NDArray[np.float32]) -> NDArray[np.bool_]:
    """(frames,): in which of them something is heard. level: see `levels`."""
    if not level.size:
        return np.zeros(0, np.bool_)
    return np.asarray(level > max(float(np.percentile(level, _LOUD)) - _QUIET_DB, _FLOOR_DB))
