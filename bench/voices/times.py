"""Phoneme times of a voice that tells none, against the true ones of a second synthesiser (tests/data/flite)."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from difflib import SequenceMatcher

import numpy as np
from numpy.typing import NDArray

from bench.figures import Figures, percentile
from bench.flite import clips
from worker.engines.tts.base import Phoneme, Speech
from worker.engines.video.puppet.mouth.articulation import LEAD
from worker.engines.video.puppet.mouth.hearing import Hearing
from worker.engines.video.puppet.mouth.visemes import PRESS
from worker.timing.aligner import Aligner

NEAR_S = 0.06
"""A closure that is shown further away from the true one is seen to be wrong."""
_SHUT, _STEP_S = 0.6, 0.01
_MARKS = str.maketrans("", "", "ˈˌː")


@dataclass(frozen=True)
class Closures:
    """Counts: `met` of the `true` ones have one of their own among the `shown` within NEAR_S."""

    met: int = 0
    true: int = 0
    shown: int = 0

    def __add__(self, other: Closures) -> Closures:
        return Closures(self.met + other.met, self.true + other.true, self.shown + other.shown)

    def figures(self, name: str) -> Figures:
        """The share of the true ones that is shown, and of those shown that is true."""
        return {f"{name}_found": self.met / max(self.true, 1), f"{name}_right": self.met / max(self.shown, 1)}


def measure(said: Sequence[Speech] | None = None) -> Figures:
    """said: with true phonemes; Flite's. Clips that the aligner refuses have none of their closures found."""
    said = clips() if said is None else said
    with closing(Aligner()) as aligner:
        told = [aligner.align(each, each.text or "", each.language or "") for each in said]
    pairs = [(each.phonemes or (), found or ()) for each, found in zip(said, told, strict=True)]
    away = [1000 * each for true, found in pairs for each in offsets(true, found)]
    aligned = sum((compared(true, shut(found)) for true, found in pairs), Closures())
    heard = sum((compared(each.phonemes or (), heard_shut(each)) for each in said), Closures())
    return {
        "times_clips_timed": sum(found is not None for found in told) / len(told),
        "times_edges_compared": float(len(away)),
        "times_edge_median_ms": percentile(away, 0.5),
        "times_edge_p90_ms": percentile(away, 0.9),
        **aligned.figures("times_closures"),
        **heard.figures("ear_closures"),
    }


def offsets(true: Sequence[Phoneme], found: Sequence[Phoneme]) -> list[float]:
    """Seconds between the edges of the phonemes that both name alike, each edge once. Which belongs to which is told by
    the order of their names alone, so that nearness can't flatter."""
    names, others = ([each.ipa.translate(_MARKS) for each in one] for one in (true, found))
    away: dict[float, float] = {}
    for block in SequenceMatcher(None, names, others, autojunk=False).get_matching_blocks():
        for one, other in zip(true[block.a :][: block.size], found[block.b :][: block.size], strict=True):
            away[one.start], away[one.end] = abs(other.start - one.start), abs(other.end - one.end)
    return list(away.values())


def shut(phonemes: Sequence[Phoneme]) -> NDArray[np.float64]:
    """The middles of what the lips meet for, in seconds."""
    return np.array([(each.start + each.end) / 2 for each in phonemes if any(letter in each.ipa for letter in "pbm")])


def heard_shut(speech: Speech) -> NDArray[np.float64]:
    """The middles of the stretches in which the mouth is shown shut where the sound alone is known."""
    hearing = Hearing()
    hearing.add(speech, 0.0)
    moments = np.arange(0.0, speech.seconds, _STEP_S)
    pressed = np.flatnonzero([hearing.at(float(each) - LEAD, _STEP_S)[PRESS] > _SHUT for each in moments])
    parts = np.split(pressed, np.flatnonzero(np.diff(pressed) > 1) + 1)
    return np.array([moments[part].mean() for part in parts if part.size])


def compared(true: Sequence[Phoneme], shown: NDArray[np.float64]) -> Closures:
    """Each that is shown counts for one alone, the nearest to it in time's order."""
    left, moments = list(shown), shut(true)
    met = 0
    for moment in moments:
        if left and abs((nearest := min(left, key=lambda each: abs(each - moment))) - moment) <= NEAR_S:
            left.remove(nearest)
            met += 1
    return Closures(met, len(moments), len(shown))
