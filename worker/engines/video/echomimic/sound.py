"""What is said in a clip, as the features want it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np
import soxr
from numpy.typing import NDArray

from worker.engines.tts.base import Speech

RATE = 16_000
FPS = 24


@dataclass(frozen=True)
class Heard:
    """samples: mono at RATE, of `frames` frames at FPS. words: all that is said, where known."""

    samples: NDArray[np.float32]
    frames: int
    words: str


def heard(speech: Iterable[Speech]) -> Heard:
    """All of it, of any rates; what is louder than 1 is cut off, and what is no number is silence. ceil(seconds x FPS)
    frames, at least one."""
    pieces = list(speech)
    frames = max(1, math.ceil(round(sum(piece.seconds for piece in pieces) * FPS, 6)))
    parts = [_at_rate(rate, list(same)) for rate, same in groupby(pieces, key=lambda piece: piece.sample_rate)]
    return Heard(_fitted(parts, frames), frames, " ".join(piece.text for piece in pieces if piece.text))


def silence(frames: int) -> Heard:
    return Heard(_fitted([], frames), frames, "")


def _at_rate(rate: int, pieces: Sequence[Speech]) -> NDArray[np.float32]:
    samples = np.concatenate([piece.samples for piece in pieces]).astype(np.float32, copy=False)
    samples = np.nan_to_num(samples, nan=0.0, posinf=1.0, neginf=-1.0).clip(-1.0, 1.0)
    return samples if rate == RATE or not len(samples) else np.asarray(soxr.resample(samples, rate, RATE), np.float32)


def _fitted(parts: Sequence[NDArray[np.float32]], frames: int) -> NDArray[np.float32]:
    """As long as the frames: whoever counts them in the samples gets the same number."""
    whole = np.zeros(frames * RATE // FPS, np.float32)
    at = 0
    for part in parts:
        kept = part[: len(whole) - at]
        whole[at : at + len(kept)] = kept
        at += len(kept)
    return whole
