"""How well lips follow phonemes and sound.

The measures are those that judge lip-sync without another network: correlation and lag of the opening with what the
phonemes ask for, closures that are reached, stillness in pauses, and wrong sound scoring worse (after THEval, 2026).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bench.lipsync.face import Track
from bench.lipsync.takes import Clip
from worker.engines.tts.base import Phoneme
from worker.engines.video.puppet.mouth.articulation import LEAD

RATE = 200
"""Points a second at which the expected opening is asked for: lags are found between frames."""
FARTHEST = 0.2
STEP = 0.002
"""Seconds: lags that are tried, on both sides of the intended lead."""
SHUT = 0.03
"""Lips are shut when their gap is at most this part of the mouth's width."""
ON_TEETH = 1.06
"""A lower lip that touches the upper teeth is as high as at rest: at most so many times as far below the nose."""
QUIET = 0.15
"""Seconds beside a phoneme in which the mouth may still move."""


@dataclass(frozen=True)
class Fit:
    """r: the correlation at the best lag. lag: seconds by which the mouth is late, the intended lead taken off."""

    r: float
    lag: float


def fit(tracks: Sequence[Track], expected: Sequence[Track], fps: int) -> Fit:
    """tracks: openings frame by frame, of one or several clips; expected: what each should be, at RATE."""
    lags = np.arange(-FARTHEST, FARTHEST + STEP / 2, STEP)
    shown = np.concatenate(tracks)
    pairs = list(zip(tracks, expected, strict=True))
    scores = [
        _r(shown, np.concatenate([_shifted(each, len(track), fps, lag) for track, each in pairs])) for lag in lags
    ]
    best = int(np.argmax(scores))
    return Fit(scores[best], float(lags[best]))


def _shifted(expected: Track, frames: int, fps: int, lag: float) -> Track:
    """What a mouth that is late by `lag` shows at each frame."""
    moments = np.arange(frames) / fps + LEAD - lag
    return np.interp(moments, np.arange(len(expected)) / RATE, expected)


def _r(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    if one.std() == 0 or other.std() == 0:
        return 0.0
    return float(np.corrcoef(one, other)[0, 1])


def reached(track: Track, spans: Sequence[tuple[float, float]], fps: int, limit: float) -> list[bool]:
    """For each span of sound, whether the track falls to `limit` while the mouth shows it, one frame more each side."""
    return [bool(track[_frames(start, end, fps, len(track))].min() <= limit) for start, end in spans]


def in_the_middle(track: Track, spans: Sequence[tuple[float, float]], fps: int) -> list[float]:
    """The track at the frame that shows each span's middle."""
    frames = [round(((start + end) / 2 - LEAD) * fps) for start, end in spans]
    return [float(track[min(max(frame, 0), len(track) - 1)]) for frame in frames]


def _frames(start: float, end: float, fps: int, count: int) -> slice:
    first = max(int(np.ceil((start - LEAD) * fps - 1e-6)) - 1, 0)
    last = min(int(np.floor((end - LEAD) * fps + 1e-6)) + 1, count - 1)
    return slice(min(first, count - 1), max(last, first) + 1)


def still(phonemes: Sequence[Phoneme], frames: int, fps: int) -> NDArray[np.bool_]:
    """(frames,): where nothing is said, nor was nor will be for a while."""
    moments = np.arange(frames) / fps + LEAD
    quiet = np.ones(frames, bool)
    for each in phonemes:
        quiet &= (moments < each.start - QUIET) | (moments > each.end + QUIET)
    return quiet


def loudness_r(gap: Track, clip: Clip) -> float:
    """Correlation of the opening with the sound's RMS over each frame's time, the intended lead taken off."""
    span = clip.sample_rate / clip.fps
    starts = np.round((np.arange(len(gap)) - 0.5 + LEAD * clip.fps) * span).astype(int)
    padded = np.pad(clip.samples.astype(np.float64), (int(span), int(4 * span)))
    rms = [float(np.sqrt(np.mean(padded[at + int(span) : at + 2 * int(span)] ** 2))) for at in starts]
    return _r(gap, np.array(rms))


def spans(phonemes: Sequence[Phoneme], letters: str) -> list[tuple[float, float]]:
    """Times of the phonemes that hold one of `letters` of the IPA."""
    return [(each.start, each.end) for each in phonemes if set(letters) & set(each.ipa) and each.end > each.start]
