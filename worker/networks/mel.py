"""Whisper's picture of sound: 80 mel bands, a hundred frames a second (Radford et al. 2022, section 2.2; the numbers
are those of openai-whisper's `audio.py`)."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from torch import Tensor

Sound = NDArray[np.float32]

RATE = 16_000
HOP, WINDOW, BANDS = 160, 400, 80
PIECE = 3000
"""Frames that the encoder takes at once: 30 seconds."""
_FLOOR, _RANGE = 1e-10, 8.0


def log_mel(samples: Sound) -> Tensor:
    """(n,) at 16 kHz to (80, n // 160), float32 on the CPU: decimal logarithms of power, cut 80 dB below the loudest of
    the whole recording, + 4, / 4. Sound shorter than a window is followed by silence up to one; numbers that are not
    finite are silence."""
    import torch

    sound = torch.from_numpy(np.nan_to_num(samples, nan=0.0, posinf=0.0, neginf=0.0).astype(np.float32, copy=False))
    if len(sound) < WINDOW:
        sound = torch.nn.functional.pad(sound, (0, WINDOW - len(sound)))
    waves = torch.stft(sound, WINDOW, HOP, window=torch.hann_window(WINDOW), return_complex=True)
    power = torch.from_numpy(filters()) @ waves[:, :-1].abs().square()
    levels = power.clamp(min=_FLOOR).log10()
    return (levels.maximum(levels.max() - _RANGE) + 4) / 4


def pieces(mel: Tensor) -> Iterator[tuple[Tensor, int]]:
    """Of a whole recording's (80, n): pieces of (80, 3000), the last filled up with zeros, each with the number of its
    frames that are of the recording. This is how openai-whisper goes through a recording."""
    from torch.nn.functional import pad

    for begin in range(0, mel.shape[1], PIECE):
        piece = mel[:, begin : begin + PIECE]
        yield pad(piece, (0, PIECE - piece.shape[1])), piece.shape[1]


def half_minutes(samples: Sound) -> Iterator[Tensor]:
    """Of (n,) at 16 kHz: a log-mel (80, 3000) of each 30 seconds by themselves, the last followed by silence. This is
    how transformers' WhisperFeatureExtractor is used."""
    whole = PIECE * HOP
    for begin in range(0, max(len(samples), 1), whole):
        part = samples[begin : begin + whole]
        yield log_mel(np.pad(part, (0, whole - len(part))))


@cache
def filters() -> NDArray[np.float32]:
    """(80, 201): what each frequency bin of a window adds to each band. Triangles between 0 and 8 kHz on Slaney's mel
    scale (linear below 1 kHz, logarithmic above; Auditory Toolbox, 1998), each of unit area."""
    bins = np.linspace(0, RATE / 2, WINDOW // 2 + 1)
    edges = _hertz(np.linspace(0.0, _mels(RATE / 2), BANDS + 2))
    low, centre, high = edges[:-2, None], edges[1:-1, None], edges[2:, None]
    triangles = np.minimum((bins - low) / (centre - low), (high - bins) / (high - centre)).clip(min=0.0)
    return np.asarray(triangles * 2.0 / (high - low), np.float32)


_LINEAR_HZ, _KNEE_HZ, _STEP = 200 / 3, 1000.0, np.log(6.4) / 27
"""Hertz a mel below the knee, the knee, and the logarithm of the ratio of one mel above it."""


def _mels(hertz: float) -> float:
    knee = _KNEE_HZ / _LINEAR_HZ
    return float(knee + np.log(hertz / _KNEE_HZ) / _STEP) if hertz > _KNEE_HZ else hertz / _LINEAR_HZ


def _hertz(mels: NDArray[np.float64]) -> NDArray[np.float64]:
    knee = _KNEE_HZ / _LINEAR_HZ
    above = _KNEE_HZ * np.exp(_STEP * (mels - knee))
    return np.where(mels >= knee, above, mels * _LINEAR_HZ)
