"""Phoneme times of a recording whose text is known: a synthesised twin is warped onto it and its times carried over."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from core.text import detect_language, speakable
from worker.engines.tts.base import Phoneme, Speech
from worker.timing.dtw import warp
from worker.timing.features import HIGHEST, STEP, Frames, Sound, cepstra, log_mel, loudness, resampled, standardised
from worker.timing.twin import Twin, TwinSpeaker, loud

GATE = 0.90
"""Most that the way may cost, as a share of what it costs to warp texts that were not said onto the recording.
Measured: the right text 0.64 to 0.88, wrong ones 0.92 to 0.98."""

_CERTAIN = 0.82
"""Below it no other voice is tried."""
_BANDS, _CEPSTRA = 32, 12
_LOUDNESS = 1.5
_SHORTEST = 12
"""Frames of sound below which nothing is said."""
_LONGEST_S = 240.0
_PAUSE = 6
"""Frames to which the twin's pauses are cut: where the recording pauses, the way stands still."""
_PAUSE_DB = 35.0
_BAND = (50, 0.08, 300)
"""Half the band: frames, and so much of the length more, at most."""
_BILABIAL = re.compile("[pbm]")
_SHIFT, _SHIFT_COST = 4, 0.1
"""Frames by which a closure may be moved, and what that must gain: nepers times frames squared."""
_DARK = 8
"""Bands up to about 500 Hz."""


@dataclass(frozen=True)
class Aligned:
    """phonemes: in seconds of the recording. score: cost over that of decoys; 0 is the same sound,
    1 a text that was not said."""

    phonemes: tuple[Phoneme, ...]
    score: float


class Aligner:
    """Holds the helper that speaks the twins; it starts with the first text. Not for several threads at once."""

    def __init__(self) -> None:
        self._twins = TwinSpeaker()

    def close(self) -> None:
        self._twins.close()

    def prepare(self) -> None:
        """Starts the helper, which the first text would else wait for; returns at once, and raises nothing."""
        self._twins.prepare()

    def align(self, speech: Speech, text: str, language: str) -> tuple[Phoneme, ...] | None:
        """None where the text can't be heard in the sound: silence, another text, nothing to say.

        Raises TTSError where no twin can be spoken (a language that eSpeak lacks, a helper that dies)."""
        found = self.best(speech, text, language)
        return found.phonemes if found and found.score <= GATE else None

    def best(self, speech: Speech, text: str, language: str) -> Aligned | None:
        """The nearest twin, whatever its score; None where there is nothing to compare."""
        language = detect_language(text) or language
        words = speakable(text, language)
        if not words or speech.seconds > _LONGEST_S:
            return None
        sound = resampled(speech.samples, speech.sample_rate)
        extent = loud(sound)
        if extent is None or extent[1] - extent[0] < _SHORTEST:
            return None
        recording = Recording.of(sound, extent, min(HIGHEST, 0.45 * speech.sample_rate))
        best: Aligned | None = None
        for twin in self._twins.twins(words, language, extent[1] - extent[0]):
            found = aligned(recording, twin)
            if found and (best is None or found.score < best.score):
                best = found
            if best and best.score < _CERTAIN:
                break
        return best


@dataclass(frozen=True)
class Recording:
    """start: the first frame in which something is said; highest: hertz up to which there is anything to hear;
    described and level (dB): of the frames that are said; above: (all frames,) the mean log-mel above 500 Hz."""

    start: int
    highest: float
    described: Frames
    level: NDArray[np.float32]
    above: NDArray[np.float32]

    @classmethod
    def of(cls, sound: Sound, extent: tuple[int, int], highest: float) -> Recording:
        mel, level, said = log_mel(sound, _BANDS, highest), loudness(sound), slice(*extent)
        return cls(extent[0], highest, _described(mel[said], level[said]), level[said], mel[:, _DARK:].mean(axis=1))


def aligned(recording: Recording, twin: Twin) -> Aligned | None:
    """The twin's phonemes moved to the recording; None where their lengths are too far apart."""
    level = loudness(twin.sound)
    kept = _without_pauses(level[twin.start : twin.end]) + twin.start
    theirs = _described(log_mel(twin.sound, _BANDS, recording.highest)[kept], level[kept])
    centre, width = _expected(recording.level, len(kept)), _width(len(recording.level))
    path, costs = warp(recording.described, [theirs, *_decoys(theirs)], centre, width)
    if not np.isfinite(costs[0]):
        return None
    times = _carried(twin, kept, path, recording.start)
    phonemes = [Phoneme(each.ipa, *when) for each, when in zip(twin.phonemes, times, strict=True)]
    return Aligned(tuple(settled(phonemes, recording.above)), float(costs[0] / max(costs[1:].mean(), 1e-6)))


def _decoys(theirs: Frames) -> list[Frames]:
    """Texts that were not said, of the same voice and the same sounds: the twin backwards, and with its halves
    exchanged, forwards and backwards."""
    half = len(theirs) // 2
    return [theirs[::-1], np.roll(theirs, half, axis=0), np.roll(theirs[::-1], half, axis=0)]


def _described(mel: Frames, level: NDArray[np.float32]) -> Frames:
    """What is compared: cepstra, their slopes and the loudness."""
    return np.concatenate([cepstra(mel, _CEPSTRA), np.float32(_LOUDNESS) * standardised(level[:, None])], axis=1)


def _without_pauses(level: NDArray[np.float32]) -> NDArray[np.intp]:
    """The frames that stay when every silence is cut to _PAUSE frames."""
    quiet = level < level.max() - _PAUSE_DB
    run = np.zeros(len(level), np.intp)
    for frame in range(1, len(level)):
        run[frame] = run[frame - 1] + 1 if quiet[frame] else 0
    return np.nonzero(run < _PAUSE)[0]


def _expected(level: NDArray[np.float32], count: int) -> NDArray[np.float64]:
    """Where in the twin each of our frames should be: by the share of what has sounded until then."""
    sounding = np.cumsum(level > level.max() - _PAUSE_DB)
    return np.asarray((sounding - sounding[0]) / max(sounding[-1] - sounding[0], 1) * (count - 1), np.float64)


def _width(frames: int) -> int:
    least, share, most = _BAND
    return int(min(least + share * frames, most))


def _carried(twin: Twin, kept: NDArray[np.intp], path: NDArray[np.intp], start: int) -> list[tuple[float, float]]:
    """Start and end of each of the twin's phonemes, in seconds of the recording."""
    ours = np.arange(len(path)) + start
    # The way may stand still: an edge is where it first reaches the edge's frame.
    places, first = np.unique(kept[path], return_index=True)
    edges = np.array([(phoneme.start, phoneme.end) for phoneme in twin.phonemes]) / STEP
    moved = np.interp(edges.ravel(), [*places, places[-1] + 1], [*ours[first], ours[-1] + 1])
    return [(float(begin) * STEP, float(end) * STEP) for begin, end in moved.reshape(-1, 2)]


def settled(phonemes: list[Phoneme], above: NDArray[np.float32]) -> list[Phoneme]:
    """Each closure of the lips moved to the moment near it that is faintest above 500 Hz, where lips that are shut let
    least through; its neighbours make room. above: (frames,) the level above 500 Hz."""
    total = np.concatenate([[0.0], np.cumsum(above, dtype=np.float64)])
    times = [[phoneme.start, phoneme.end] for phoneme in phonemes]
    for place, phoneme in enumerate(phonemes):
        if not _BILABIAL.search(phoneme.ipa):
            continue
        moved = _faintest(total, phoneme) * STEP
        if place:
            moved = max(moved, times[place - 1][0] + STEP - phoneme.start)
        times[place] = [phoneme.start + moved, phoneme.end + moved]
    return [Phoneme(each.ipa, *when) for each, when in zip(phonemes, _in_order(times), strict=True)]


def _faintest(total: NDArray[np.float64], phoneme: Phoneme) -> int:
    """The best shift in frames. total: the sums of the level up to each frame."""
    begin = round(phoneme.start / STEP)
    end = max(begin + 3, round(phoneme.end / STEP))
    costs = {
        shift: (total[end + shift] - total[begin + shift]) / (end - begin) + _SHIFT_COST * shift * shift
        for shift in range(-_SHIFT, _SHIFT + 1)
        if begin + shift >= 0 and end + shift < len(total)
    }
    return min(costs, key=lambda shift: costs[shift], default=0)


def _in_order(times: list[list[float]]) -> list[list[float]]:
    """Neighbours meet in the middle of where they overlap, and a gap of less than a frame or two that a shift left is
    shared out."""
    for one, other in pairwise(times):
        if abs(one[1] - other[0]) <= (_SHIFT + 1) * STEP or one[1] > other[0]:
            middle = min(max((one[1] + other[0]) / 2, one[0]), other[1])
            one[1] = other[0] = middle
    return times
