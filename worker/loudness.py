"""Loudness as people hear it, and sound brought to one loudness.

ITU-R BS.1770-4: K-weighting, 400 ms blocks that overlap by three quarters, an absolute gate at -70 LUFS and a relative
one 10 LU below the mean of what passes it. The filters' constants for any sample rate are those of De Man, "Evaluation
of Implementations of the EBU R128 Loudness Measurement" (AES 145, 2018).
"""

from __future__ import annotations

import math
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

Sound = NDArray[np.float32]

TARGET_LUFS = -16.0
"""What podcasts and voice messages for phones are made at (AES TD1008 recommends -16 to -20 for speech)."""
CEILING = 10 ** (-1.0 / 20)
"""-1 dBFS: what a lossy codec adds still fits."""

_BLOCK_S, _HOP_S = 0.4, 0.1
_ABSOLUTE_GATE, _RELATIVE_GATE = -70.0, -10.0
_OFFSET = -0.691
_MOST_GAIN_DB = 24.0
_MOST_GIVEN_BACK_DB, _HARDLY_DB = 1.5, 0.1
_ATTACK_S = 0.004


def loudness(samples: Sound, sample_rate: int) -> float:
    """LUFS of mono sound (n,), -1 … 1; -inf for silence. What is shorter than a block counts as one block."""
    weighted = np.square(_k_weighted(samples, sample_rate))
    blocks = _blocks(weighted, sample_rate)
    for gate in (_ABSOLUTE_GATE, None):
        if not blocks.size:
            return -math.inf
        threshold = gate if gate is not None else _lufs(float(blocks.mean())) + _RELATIVE_GATE
        blocks = blocks[blocks > 10 ** ((threshold - _OFFSET) / 10)]
    return _lufs(float(blocks.mean())) if blocks.size else -math.inf


def levelled(samples: Sound, sample_rate: int, target: float = TARGET_LUFS) -> Sound:
    """The sound at the target's loudness, no peak above CEILING: what would pass it is turned down smoothly around it
    (a limiter that looks ahead). Silence stays silence; gain is bounded, so that noise does not become speech."""
    before = loudness(samples, sample_rate)
    if math.isinf(before):
        return samples
    gain = min(target - before, _MOST_GAIN_DB)
    limited = _amplified(samples, gain, sample_rate)
    taken = gain + before - loudness(limited, sample_rate)
    # What the limiter took is given back once; the rest is a hundredth of a unit.
    return limited if taken < _HARDLY_DB else _amplified(samples, gain + min(taken, _MOST_GIVEN_BACK_DB), sample_rate)


def _lufs(power: float) -> float:
    return _OFFSET + 10 * math.log10(power) if power > 0 else -math.inf


def _blocks(weighted: NDArray[np.float64], sample_rate: int) -> NDArray[np.float64]:
    """The mean square of each block."""
    size, hop = round(_BLOCK_S * sample_rate), round(_HOP_S * sample_rate)
    if weighted.size <= size:
        return np.array([weighted.mean()]) if weighted.size else np.zeros(0)
    sums = np.concatenate([[0.0], np.cumsum(weighted)])
    starts = np.arange(0, weighted.size - size + 1, hop)
    means: NDArray[np.float64] = (sums[starts + size] - sums[starts]) / size
    return means


def _k_weighted(samples: Sound, sample_rate: int) -> NDArray[np.float64]:
    """Both filters by multiplying spectra; the padding takes their ringing."""
    size = 1 << math.ceil(math.log2(max(samples.size, 1) + sample_rate // 10))
    spectrum = np.fft.rfft(samples.astype(np.float64), size) * _response(size, sample_rate)
    return np.fft.irfft(spectrum, size)[: samples.size]


@lru_cache(maxsize=4)
def _response(size: int, sample_rate: int) -> NDArray[np.complex64]:
    """(size // 2 + 1,): both filters' gain at each frequency. Sentences of like length share one."""
    turn = np.exp(-2j * np.pi * np.arange(size // 2 + 1) / size)
    gain = np.ones(turn.size, np.complex128)
    for numerator, denominator in (_shelf(sample_rate), _high_pass(sample_rate)):
        gain *= np.polyval(numerator[::-1], turn) / np.polyval(denominator[::-1], turn)
    return gain.astype(np.complex64)


def _shelf(sample_rate: int) -> tuple[list[float], list[float]]:
    """The head's effect: 4 dB more above 1.5 kHz."""
    high = 10 ** (3.999843853973347 / 20)
    middle, quality = high**0.4996667741545416, 0.7071752369554196
    k = math.tan(math.pi * 1681.974450955533 / sample_rate)
    scale = 1 + k / quality + k * k
    numerator = [high + middle * k / quality + k * k, 2 * (k * k - high), high - middle * k / quality + k * k]
    return [part / scale for part in numerator], [1.0, 2 * (k * k - 1) / scale, (1 - k / quality + k * k) / scale]


def _high_pass(sample_rate: int) -> tuple[list[float], list[float]]:
    quality = 0.5003270373238773
    k = math.tan(math.pi * 38.13547087602444 / sample_rate)
    scale = 1 + k / quality + k * k
    return [1.0, -2.0, 1.0], [1.0, 2 * (k * k - 1) / scale, (1 - k / quality + k * k) / scale]


def _amplified(samples: Sound, gain_db: float, sample_rate: int) -> Sound:
    return _limited(samples * np.float32(10 ** (gain_db / 20)), sample_rate)


def _limited(samples: Sound, sample_rate: int) -> Sound:
    """Each sample gets the least gain that a peak around it asks for, smoothed over the same width."""
    width = 2 * round(_ATTACK_S * sample_rate) + 1
    asked = np.minimum(1.0, CEILING / np.maximum(np.abs(samples), 1e-9))
    if asked.min() >= 1.0:
        return samples
    held = cv2.erode(asked[None], np.ones((1, width), np.uint8), borderType=cv2.BORDER_REPLICATE)[0]
    window = np.hanning(width + 2)[1:-1]
    # A mean of gains, none above what its own sample's peak asks for: every window holds that peak.
    smooth = np.convolve(np.pad(held, width // 2, mode="edge"), window / window.sum(), mode="valid")
    return (samples * smooth).astype(np.float32)
