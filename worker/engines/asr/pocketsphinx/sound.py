"""From a recording to what the decoder is good at: the speech alone, at one loudness, never digitally silent."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from worker.engines.asr.base import SAMPLE_RATE

_FRAME = SAMPLE_RATE // 100
_SILENCE = 0.003
_FLOOR = 0.06
_QUIET = 10
"""The percentile of the levels that is taken for the noise."""
_ABOVE_NOISE = 3.0
_MOST_FLOOR = 0.25
_MARGIN_FRAMES = 20
_LEVEL = 0.09
_PEAK = 0.95
_DITHER = 0.001
"""-60 dBFS: without it digital silence swamps the cepstral means and half of the sentences are lost."""

Sound = NDArray[np.float32]


def speech_of(audio: Sound) -> Sound | None:
    """The part between the first and the last loud frame with 0.2 s around it; None where nothing is loud."""
    levels = _levels(audio)
    if not levels.size or levels.max() < _SILENCE:
        return None
    most = float(levels.max())
    noise = min(_ABOVE_NOISE * float(np.percentile(levels, _QUIET)), _MOST_FLOOR * most)
    loud = np.flatnonzero(levels > max(_SILENCE, _FLOOR * most, noise))
    start = max(0, int(loud[0]) - _MARGIN_FRAMES) * _FRAME
    return audio[start : (int(loud[-1]) + 1 + _MARGIN_FRAMES) * _FRAME]


def pcm(speech: Sound) -> bytes:
    """16-bit samples at the model's usual loudness, dithered; the same for the same speech."""
    loud = speech[np.abs(speech) > _SILENCE]
    rms = float(np.sqrt(np.mean(np.square(loud)))) if loud.size else 1.0
    gain = min(_LEVEL / rms, _PEAK / max(float(np.abs(speech).max()), 1e-6))
    noise = np.random.default_rng(0).normal(0.0, _DITHER, speech.size)
    return (np.clip(speech * gain + noise, -1.0, 1.0) * 32767).astype("<i2").tobytes()


def _levels(audio: Sound) -> NDArray[np.float32]:
    """The RMS of each 10 ms."""
    whole = audio[: audio.size // _FRAME * _FRAME].reshape(-1, _FRAME)
    levels: NDArray[np.float32] = np.sqrt(np.mean(np.square(whole), axis=1))
    return levels
