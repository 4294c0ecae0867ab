"""A formant synthesiser's spectrum brought nearer to that of people.

eSpeak's variants are up to 15 dB too bright or too dull in whole octaves. Each is measured once on a text of its
language, and a linear-phase filter takes back part of the difference to the long-term average spectrum of speech
(Byrne et al., "An international comparison of long-term average speech spectra", JASA 96, 1994, table II, both sexes).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Sound = NDArray[np.float32]
Filter = NDArray[np.float64]

CALIBRATION = {
    "ar": "صباح الخير، كيف حالك اليوم؟ نفتح أبوابنا من الساعة التاسعة حتى العاشرة مساء،"
    " ويسعدنا أن نخدمك في أي وقت تشاء.",
    "en": "Good morning, how are you today? We open our doors from nine until ten in the evening, and she is pleased to"
    " serve you whatever you choose.",
}
"""Everyday sentences with most sounds of their language."""

_BANDS_HZ = np.array(
    [160, 200, 250, 315, 400, 500, 630, 800, 1000, 1250, 1600, 2000, 2500, 3150, 4000, 5000, 6300, 8000, 10000]
)
SPEECH_DB = np.array(
    [56.8, 60.2, 60.3, 59.0, 62.1, 62.1, 60.5, 56.8, 53.7, 53.0, 52.0, 48.7, 48.1, 46.8, 45.6, 44.5, 44.3, 43.7, 43.4]
)
_SHARE = 0.6
"""Of the difference: the rest is what makes the voice this one."""
_MOST_DB = 7.0
_OCTAVE = np.array([1.0, 2.0, 3.0, 2.0, 1.0])
"""Weights of neighbouring thirds of an octave: single formants and harmonics stay as they are."""
_TAPS = 255
_WINDOW = 2048
_SPEAKING = 0.01


def corrected(samples: Sound, taps: Filter) -> Sound:
    """The sound through the filter, its delay taken back: (n,) stays (n,) and nothing moves in time."""
    size = 1 << (samples.size + taps.size).bit_length()
    filtered = np.fft.irfft(np.fft.rfft(samples, size) * np.fft.rfft(taps, size), size)
    start = taps.size // 2
    return filtered[start : start + samples.size].astype(np.float32)


def correction(samples: Sound, sample_rate: int) -> Filter:
    """The filter (_TAPS,) for a voice of which these are some seconds of speech."""
    levels = band_levels(samples, sample_rate)
    missing = SPEECH_DB - levels
    missing -= np.median(missing)
    padded = np.pad(missing, _OCTAVE.size // 2, mode="edge")
    smooth = np.convolve(padded, _OCTAVE / _OCTAVE.sum(), mode="valid")
    return _filter(np.clip(_SHARE * smooth, -_MOST_DB, _MOST_DB), sample_rate)


def band_levels(samples: Sound, sample_rate: int) -> NDArray[np.float64]:
    """(19,): dB in each third of an octave, while the voice speaks."""
    windows = np.lib.stride_tricks.sliding_window_view(samples, _WINDOW)[:: _WINDOW // 2]
    speaking = windows[np.sqrt(np.square(windows).mean(axis=1)) > _SPEAKING]
    power = np.square(np.abs(np.fft.rfft(speaking * np.hanning(_WINDOW), axis=1))).mean(axis=0)
    frequencies = np.fft.rfftfreq(_WINDOW, 1 / sample_rate)
    edge = 2 ** (1 / 6)
    bands = [power[(frequencies > hz / edge) & (frequencies <= hz * edge)].sum() for hz in _BANDS_HZ]
    return 10 * np.log10(np.array(bands) + 1e-9)


def _filter(gains_db: NDArray[np.float64], sample_rate: int) -> Filter:
    """By sampling the wanted response and windowing its impulse."""
    frequencies = np.fft.rfftfreq(4096, 1 / sample_rate)
    gains = 10 ** (np.interp(np.log(np.maximum(frequencies, 1.0)), np.log(_BANDS_HZ), gains_db) / 20)
    impulse = np.roll(np.fft.irfft(gains), _TAPS // 2)[:_TAPS]
    return impulse * np.hanning(_TAPS + 2)[1:-1]
