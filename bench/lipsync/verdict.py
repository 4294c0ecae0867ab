"""All measures of a set of clips, found in what was written and decoded again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bench.lipsync import sync
from bench.lipsync.face import Face, Track, measured
from bench.lipsync.landmarks import Seen, find
from bench.lipsync.picture import Decoded, decoded, lumas
from bench.lipsync.table import Table, read
from bench.lipsync.takes import TAKES, Clip, Take, neutral, spoken, write
from worker.engines.tts.base import Phoneme
from worker.engines.tts.espeak import Espeak

ROUND, SPREAD, OPEN = "uʊwɔo", "iɪjɛ", "aɑæ"
"""IPA of lips drawn together, of lips drawn apart, and of an open mouth."""
ASTRAY_S = 2.0
"""By so much the sound is rolled to get wrong sound."""


@dataclass(frozen=True)
class Judged:
    """One clip and what is seen in it. neutral: the avatar's clip that says nothing, decoded."""

    take: Take
    clip: Clip
    seen: Seen
    face: Face
    decoded: Decoded
    neutral: Decoded

    @property
    def frames(self) -> int:
        return len(self.face.gap)


def judged(folder: Path, takes: Sequence[Take] = TAKES) -> list[Judged]:
    """Speaks, draws, encodes, decodes and looks. Raises SurroundingsError where mediapipe or a face is missing."""
    engine = Espeak()
    try:
        clips = [write(folder, take, spoken(take, engine)) for take in takes]
    finally:
        engine.unload()
    still = {avatar: decoded(neutral(folder, avatar)) for avatar in {take.avatar for take in takes}}
    return [
        Judged(take, clip, seen, measured(seen.mesh), decoded(clip.path, seen.person), still[take.avatar])
        for take, clip, seen in zip(takes, clips, find([clip.path for clip in clips]), strict=True)
    ]


class Verdict:
    """Figures over several clips; those of closures count each closure once, whichever clip it is in."""

    def __init__(self, clips: Sequence[Judged], table: Table | None = None) -> None:
        self.clips, self.table = list(clips), table or read()

    def fit(self, track: str = "gap") -> sync.Fit:
        """Lips against phonemes, all clips as one. track: `gap` or `opening`."""
        return self._fit([each.clip.phonemes for each in self.clips], track)

    def fit_of(self, judged: Judged) -> sync.Fit:
        return Verdict([judged], self.table).fit()

    def shuffled(self) -> sync.Fit:
        """Each clip against the phonemes of the next one."""
        return self._fit([each.clip.phonemes for each in [*self.clips[1:], self.clips[0]]])

    def rolled(self) -> sync.Fit:
        """Each clip against its own phonemes, at the wrong time."""
        return self._fit([astray(each.clip.phonemes, each.clip.seconds) for each in self.clips])

    def closures(self, *, lips: bool) -> float:
        """The share of closures that are reached: of the lips (p b m), or of lip and teeth (f v)."""
        hit: list[bool] = []
        for each in self.clips:
            spans = [(c.start, c.end) for c in self.table.closures(each.clip.phonemes) if c.lips is lips]
            track, limit = (each.face.gap, sync.SHUT) if lips else (each.face.lower, sync.ON_TEETH)
            hit += sync.reached(track, spans, each.clip.fps, limit)
        return float(np.mean(hit))

    def open_vowels(self) -> tuple[float, float]:
        """The share of open vowels in whose middle the lips are not shut, and that of those whose lower lip is not at
        the teeth: a mouth that never opens reaches all closures."""
        gaps, lowers = self._middles("gap", OPEN), self._middles("lower", OPEN)
        return float(np.mean(np.array(gaps) > sync.SHUT)), float(np.mean(np.array(lowers) > sync.ON_TEETH))

    def silence(self) -> tuple[float, float]:
        """Mean and standard deviation of the gap where nothing is said; the worst clip's."""
        quiet = [each.face.gap[sync.still(each.clip.phonemes, each.frames, each.clip.fps)] for each in self.clips]
        return max(float(gap.mean()) for gap in quiet), max(float(gap.std()) for gap in quiet)

    def loudness_r(self) -> float:
        return float(np.mean([sync.loudness_r(each.face.gap, each.clip) for each in self.clips]))

    def widths(self) -> tuple[float, float]:
        """The mouth's width in rounded sounds and in spread ones, against rest; middles of the sounds."""
        return float(np.mean(self._middles("width", ROUND))), float(np.mean(self._middles("width", SPREAD)))

    def blinks_per_minute(self) -> float:
        return 60 * sum(each.face.blinks for each in self.clips) / sum(each.clip.seconds for each in self.clips)

    def _fit(self, phonemes: Sequence[Sequence[Phoneme]], track: str = "gap") -> sync.Fit:
        expected: list[Track] = [
            self.table.expected_opening(spoken, each.clip.seconds + 1.0, sync.RATE)
            for spoken, each in zip(phonemes, self.clips, strict=True)
        ]
        return sync.fit([getattr(each.face, track) for each in self.clips], expected, self.clips[0].clip.fps)

    def _middles(self, track: str, letters: str) -> list[float]:
        """A track of the face in the middles of all phonemes that hold one of the letters."""
        return [
            value
            for each in self.clips
            for value in sync.in_the_middle(
                getattr(each.face, track), sync.spans(each.clip.phonemes, letters), each.clip.fps
            )
        ]


def astray(phonemes: Sequence[Phoneme], seconds: float) -> tuple[Phoneme, ...]:
    """The same phonemes, ASTRAY_S later, those beyond the end put first."""
    moved = [((each.start + ASTRAY_S) % seconds, each) for each in phonemes]
    return tuple(
        Phoneme(each.ipa, start, start + each.end - each.start) for start, each in sorted(moved, key=lambda m: m[0])
    )


def off_neutral(one: Judged) -> Track:
    """(frames,): mean difference in grey levels, in the face, of each frame from the neutral picture."""
    points = one.seen.mesh[0, :, :2]
    (left, top), (right, bottom) = points.min(axis=0).astype(int), points.max(axis=0).astype(int)
    window = np.s_[max(top, 0) : bottom, max(left, 0) : right]
    still = one.neutral.first[window].astype(np.float64)
    return np.array([np.abs(luma[window] - still).mean() for luma in lumas(one.clip.path)])
