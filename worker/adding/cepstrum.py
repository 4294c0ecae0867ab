"""Mel-frequency cepstra (Davis and Mermelstein 1980): the timbre of each moment of a recording."""

from __future__ import annotations

from functools import cache

import numpy as np
import soxr
from numpy.typing import NDArray

from worker.adding.listening import HOP_S, Sound

STUDIED = 8_000
"""Hertz: what a telephone carries, so that recordings of any kind compare."""
WINDOW, SIZE = 200, 256
"""Samples of a frame and of its spectrum."""
BANDS, COUNT = 24, 12
EDGES = (100.0, 3800.0)
EMPHASIS = 0.95


def cepstra(sound: Sound, rate: int, frames: int) -> NDArray[np.float64]:
    """(frames, COUNT) every HOP_S, without the one that tells the level."""
    small = np.asarray(soxr.resample(sound, rate, STUDIED), np.float64)
    raised = np.append(small[:1], small[1:] - EMPHASIS * small[:-1])
    hop = round(HOP_S * STUDIED)
    padded = np.pad(raised, (WINDOW // 2, WINDOW // 2 + frames * hop))
    windows = np.lib.stride_tricks.sliding_window_view(padded, WINDOW)[: frames * hop : hop]
    power = np.abs(np.fft.rfft(windows * np.hamming(WINDOW), SIZE)) ** 2
    bank, cosines = _tables()
    return np.asarray(np.log(power @ bank.T + 1e-9) @ cosines.T)


@cache
def _tables() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Triangles on the mel scale, (BANDS, bins), and the cosine transform (DCT-II, orthonormal), (COUNT, BANDS)."""
    low, high = (2595 * np.log10(1 + edge / 700) for edge in EDGES)
    points = 700 * (10 ** (np.linspace(low, high, BANDS + 2) / 2595) - 1)
    hertz = np.arange(SIZE // 2 + 1) * STUDIED / SIZE
    rising = (hertz - points[:-2, None]) / (points[1:-1] - points[:-2])[:, None]
    falling = (points[2:, None] - hertz) / (points[2:] - points[1:-1])[:, None]
    orders = np.arange(1, COUNT + 1)[:, None]
    cosines = np.sqrt(2 / BANDS) * np.cos(np.pi * orders * (np.arange(BANDS) + 0.5) / BANDS)
    return np.clip(np.minimum(rising, falling), 0, None), cosines
