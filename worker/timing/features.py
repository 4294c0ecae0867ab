"""Sound to frames of numbers, a hundred a second: log-mel bands, and cepstra for comparing two voices."""

from __future__ import annotations

from functools import cache

import numpy as np
import soxr
from numpy.typing import NDArray

Sound = NDArray[np.float32]
Frames = NDArray[np.float32]
"""(frames, values)."""

RATE = 16_000
HOP = 160
WINDOW = 400
STEP = HOP / RATE
"""Seconds a frame; frame i is centred at (i + ½) · STEP."""
MARGIN = (WINDOW - HOP) // 2
"""Samples before and after its hop that a frame looks at."""

LOWEST, HIGHEST = 70.0, 7600.0
"""Hertz."""
_EMPHASIS = 0.97
_FLOOR = 1e-8
"""Power of a band below which everything is the same silence: about 16-bit rounding noise."""
_DELTA = 2
_BLOCK = 512
"""Frames whose spectra are held at once: long sentences take hardly more memory than short ones."""


def clean(samples: Sound) -> Sound:
    """What is not finite is silence, what is beyond ±1 is cut off."""
    finite = np.nan_to_num(np.asarray(samples, np.float32), posinf=1.0, neginf=-1.0)
    return np.asarray(np.clip(finite, -1.0, 1.0), np.float32)


def resampled(samples: Sound, rate: int) -> Sound:
    """Clean, and at RATE."""
    sound = clean(samples)
    if rate == RATE or not sound.size:
        return sound
    return np.asarray(soxr.resample(sound, rate, RATE, quality="MQ"), np.float32)


def log_mel(sound: Sound, bands: int, highest: float = HIGHEST) -> Frames:
    """(len // HOP, bands): natural log of the power in each mel band; sound at RATE, silent before and after."""
    return log_mel_within(np.pad(sound, MARGIN), bands, highest)


def log_mel_within(sound: Sound, bands: int, highest: float = HIGHEST) -> Frames:
    """As log_mel, where the first and last MARGIN samples only surround the frames."""
    count = max(0, (len(sound) - 2 * MARGIN) // HOP)
    if not count:
        return np.zeros((0, bands), np.float32)
    sharp = np.concatenate([sound[:1], sound[1:] - _EMPHASIS * sound[:-1]])
    windows = np.lib.stride_tricks.sliding_window_view(sharp, WINDOW)[::HOP][:count]
    filters = _filters(bands, highest)
    mel = np.empty((count, bands), np.float32)
    for first in range(0, count, _BLOCK):
        block = slice(first, first + _BLOCK)
        spectrum = np.fft.rfft(windows[block] * _hann(), 512)
        power = (spectrum.real**2 + spectrum.imag**2).astype(np.float32) / WINDOW
        np.log(power @ filters + np.float32(_FLOOR), out=mel[block])
    return mel


def loudness(sound: Sound) -> NDArray[np.float32]:
    """(len // HOP,): dB of each frame's power; sound at RATE."""
    count = len(sound) // HOP
    if not count:
        return np.zeros(0, np.float32)
    windows = np.lib.stride_tricks.sliding_window_view(np.pad(sound, MARGIN), WINDOW)[::HOP][:count]
    return np.asarray(10 * np.log10(np.einsum("fs,fs->f", windows, windows) / WINDOW + 1e-10), np.float32)


def cepstra(mel: Frames, count: int) -> Frames:
    """(frames, 2 · count): the first `count` cepstral coefficients and their slopes, each of mean 0 and variance 1
    over the frames (which takes most of a voice's and a microphone's colour away)."""
    base = mel @ _cosines(mel.shape[1], count)
    return np.concatenate([standardised(base), standardised(slopes(base))], axis=1)


def slopes(values: Frames) -> Frames:
    """By regression over ±_DELTA frames."""
    padded = np.pad(values, ((_DELTA, _DELTA), (0, 0)), mode="edge")
    count = len(values)
    total = np.zeros_like(values)
    for away in range(1, _DELTA + 1):
        total += away * (padded[_DELTA + away :][:count] - padded[_DELTA - away :][:count])
    return total / np.float32(2 * sum(away * away for away in range(1, _DELTA + 1)))


def standardised(values: Frames) -> Frames:
    return np.asarray((values - values.mean(axis=0)) / (values.std(axis=0) + 1e-3), np.float32)


@cache
def _hann() -> NDArray[np.float32]:
    return np.hanning(WINDOW).astype(np.float32)


@cache
def _filters(bands: int, highest: float) -> NDArray[np.float32]:
    """(257, bands): triangles, evenly spaced in mel (O'Shaughnessy 1987)."""
    low, high = 2595 * np.log10(1 + np.array([LOWEST, highest]) / 700)
    edges = 700 * (10 ** (np.linspace(low, high, bands + 2) / 2595) - 1)
    hertz = np.fft.rfftfreq(512, 1 / RATE)[:, None]
    rising = (hertz - edges[:-2]) / (edges[1:-1] - edges[:-2])
    falling = (edges[2:] - hertz) / (edges[2:] - edges[1:-1])
    return np.maximum(np.minimum(rising, falling), 0).astype(np.float32)


@cache
def _cosines(bands: int, count: int) -> NDArray[np.float32]:
    """(bands, count): the cosine transform of type II without its constant; coefficient 1 first."""
    place = (np.arange(bands) + 0.5)[:, None] * np.arange(count)[None]
    return np.cos(np.pi * place / bands).astype(np.float32)
