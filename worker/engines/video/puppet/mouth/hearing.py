"""The mouth of speech whose phonemes nobody knows: what worker.timing.estimator hears, closures made certain."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from worker.engines.tts.base import Speech
from worker.engines.video.puppet.mouth.articulation import LEAD
from worker.engines.video.puppet.mouth.closures import Closure, closed
from worker.engines.video.puppet.mouth.ipa import visemes
from worker.engines.video.puppet.mouth.visemes import ARTICULATORS, Segment, Viseme
from worker.timing.estimator import Ear, load
from worker.timing.features import STEP, Frames, loudness, resampled

SURE = {"m": 0.45, "f": 0.5}
"""The chance from which lips count as shut, and the lip as at the teeth: so high that most of what is shown was said,
since a closure that nobody hears looks worse than one that is missed."""
_SHORTEST, _BRIDGED = 2, 2
"""Frames that a closure is heard for at least, and frames of doubt inside one."""
_MEMORY = 0.6
"""Seconds of what was heard that are kept behind the last moment asked for."""

_SYLLABLE = 20
"""Frames: the parts in which it is told what sounds."""
_QUIET_DB, _FAINTEST_DB = 32.0, -60.0
_STRESS = 40
"""Frames on each side within which a stressed part is the loudest."""


@dataclass
class _Run:
    """Pieces heard by one ear, one after the other. start: seconds. first: the number of the first frame that is still
    kept in `heard` (frames, articulators and the chances of the two closures)."""

    start: float
    rate: int
    end: float
    ear: Ear = field(default_factory=Ear)
    first: int = 0
    heard: Frames = field(default_factory=lambda: np.zeros((0, len(ARTICULATORS) + 2), np.float32))
    closures: list[Closure] = field(default_factory=list)


class Hearing:
    """Pieces go in as they come, the mouth's shape at a moment comes out; at rest wherever nothing was added."""

    def __init__(self) -> None:
        self._runs: list[_Run] = []

    def add(self, speech: Speech, start: float) -> list[Segment]:
        """A piece that begins at `start` seconds. Returns what sounds in it and where it is stressed: for the face, not
        for the mouth, since its shapes mean nothing."""
        run = self._runs[-1] if self._runs else None
        if run is None or run.rate != speech.sample_rate or abs(run.end - start) > STEP / 2:
            run = _Run(start, speech.sample_rate, start)
            self._runs.append(run)
        first, estimates = run.ear.hear(speech.samples, speech.sample_rate)
        run.heard = np.concatenate([run.heard[: max(0, first - run.first)], _shapes(estimates)])
        run.closures = _closures(run)
        run.end = start + speech.seconds
        return sounding(speech, start)

    def forget(self, before: float) -> None:
        """Drops what was heard well before that moment."""
        for run in self._runs:
            gone = math.floor((before - _MEMORY - run.start) / STEP) - run.first
            if gone > 1 / STEP:
                run.heard, run.first = run.heard[gone:], run.first + gone
                run.closures = [each for each in run.closures if each.end > before - _MEMORY]
        self._runs = [run for run in self._runs[:-1] if run.end > before - _MEMORY] + self._runs[-1:]

    def at(self, moment: float, frame: float) -> NDArray[np.float32]:
        """As Articulation.at."""
        time = moment + LEAD
        shape = np.zeros(len(ARTICULATORS), np.float32)
        for run in self._runs:
            if run.start - 2 * STEP < time < run.end + 2 * STEP:
                near = [each for each in run.closures if each.start - 0.15 < time < each.end + 0.15]
                shape = np.maximum(shape, closed(_between(run, time), near, time, frame))
        return shape


def _between(run: _Run, time: float) -> NDArray[np.float32]:
    """The articulators between two frames; at rest beyond the ends."""
    place = (time - run.start) / STEP - 0.5 - run.first
    low = math.floor(place)
    shape = np.zeros(len(ARTICULATORS), np.float32)
    for row, share in ((low, 1 - (place - low)), (low + 1, place - low)):
        if 0 <= row < len(run.heard):
            shape += np.float32(share) * run.heard[row, : len(ARTICULATORS)]
    return shape


def _shapes(estimates: Frames) -> Frames:
    """Articulators from 0 to 1 by their names (one that the network never learnt rests), and chances."""
    names = load().names
    shapes = np.zeros((len(estimates), len(ARTICULATORS) + 2), np.float32)
    for column, name in enumerate(names):
        if name in ARTICULATORS:
            shapes[:, ARTICULATORS.index(name)] = np.clip(estimates[:, column], 0, 1)
    shapes[:, len(ARTICULATORS) :] = 1 / (1 + np.exp(-np.clip(estimates[:, len(names) :], -30, 30)))
    return shapes


def _closures(run: _Run) -> list[Closure]:
    """In order of time."""
    found: list[Closure] = []
    for column, (letter, sure) in enumerate(SURE.items(), len(ARTICULATORS)):
        (viseme,) = visemes(letter)
        found += _stretches(run.heard[:, column] > sure, viseme, run.start + run.first * STEP)
    return sorted(found, key=lambda closure: closure.start)


def _stretches(shut: NDArray[np.bool_], viseme: Viseme, start: float) -> list[Closure]:
    frames = np.flatnonzero(shut)
    if not frames.size:
        return []
    parts = np.split(frames, np.flatnonzero(np.diff(frames) > 1 + _BRIDGED) + 1)
    return [
        Closure(viseme, start + float(part[0]) * STEP, start + float(part[-1] + 1) * STEP)
        for part in parts
        if len(part) >= _SHORTEST
    ]


def sounding(speech: Speech, start: float) -> list[Segment]:
    """The piece's loud parts, a syllable long, stressed where they are the loudest for a while."""
    level = loudness(resampled(speech.samples, speech.sample_rate))
    if not level.size or level.max() < _FAINTEST_DB:
        return []
    count = -(-len(level) // _SYLLABLE)
    padded = np.pad(level, (0, count * _SYLLABLE - len(level)), constant_values=-100.0)
    peaks = padded.reshape(count, _SYLLABLE).max(axis=1)
    around = _STRESS // _SYLLABLE
    wide = np.lib.stride_tricks.sliding_window_view(np.pad(peaks, around, constant_values=-100.0), 2 * around + 1)
    (shape,) = visemes("ə")
    length = _SYLLABLE * STEP
    return [
        Segment(shape, start + at * length, min(start + (at + 1) * length, start + speech.seconds), bool(stressed))
        for at, (peak, stressed) in enumerate(zip(peaks, peaks >= wide.max(axis=1), strict=True))
        if peak > max(level.max() - _QUIET_DB, _FAINTEST_DB)
    ]
