"""From stretches of speech to the segments that are recognised one by one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from worker.engines.asr.base import SAMPLE_RATE

FRAME = 512
"""Samples for each probability of speech: 32 ms."""
LONGEST = 30 * SAMPLE_RATE
"""What the model was trained with, and its makers' own limit (`max_single_segment_time`)."""
_USUAL = 10 * SAMPLE_RATE
"""Where a cut is needed, segments of this length at least are preferred: context helps the model."""
_BREAK = 2 * SAMPLE_RATE
"""A longer pause is never within a segment: what is silent invites a language model to invent."""
_MARGIN = SAMPLE_RATE // 5
"""Around a segment, as far as the pause allows."""
_SMOOTH = 5
"""Frames over which the quietest place in speech without a pause is looked for."""

Probabilities = NDArray[np.float32]


@dataclass(frozen=True)
class Span:
    """A stretch of speech: samples, the end excluded."""

    start: int
    end: int


@dataclass(frozen=True)
class Segment:
    """start, end: samples of the recording. speech: how many of them are speech."""

    start: int
    end: int
    speech: int


def segments_of(spans: Sequence[Span], probabilities: Probabilities, size: int) -> list[Segment]:
    """Segments of at most LONGEST samples that hold all the speech, in order and apart.

    spans: in order and apart. probabilities: of speech, one for each FRAME. size: of the recording, in samples. A cut
    goes through the longest pause at hand, and through speech only where 30 s hold no pause: at its quietest place.
    """
    pieces = [piece for span in spans for piece in _short_enough(span, probabilities)]
    groups = list(_grouped(pieces))
    return [_with_margins(groups, place, size) for place in range(len(groups))]


def _short_enough(span: Span, probabilities: Probabilities) -> Iterator[Span]:
    most = LONGEST - 2 * _MARGIN
    while span.end - span.start > most:
        first, last = (span.start + most // 2) // FRAME, (span.start + most) // FRAME
        smooth = np.convolve(probabilities[first:last], np.full(_SMOOTH, 1 / _SMOOTH), "valid")
        cut = (first + int(smooth.argmin()) + _SMOOTH // 2) * FRAME
        yield Span(span.start, cut)
        span = Span(cut, span.end)
    yield span


def _grouped(pieces: Sequence[Span]) -> Iterator[Sequence[Span]]:
    while pieces:
        end = _last_that_fits(pieces)
        yield pieces[:end]
        pieces = pieces[end:]


def _last_that_fits(pieces: Sequence[Span]) -> int:
    """How many pieces from the first on are one segment."""
    start, fitting = pieces[0].start, 1
    while fitting < len(pieces) and pieces[fitting].end - start <= LONGEST - 2 * _MARGIN:
        if pieces[fitting].start - pieces[fitting - 1].end > _BREAK:
            return fitting
        fitting += 1
    if fitting == len(pieces):
        return fitting
    choices = range(1, fitting + 1)
    usual = [count for count in choices if pieces[count - 1].end - start >= _USUAL]
    return max(usual or choices, key=lambda count: (pieces[count].start - pieces[count - 1].end, count))


def _with_margins(groups: Sequence[Sequence[Span]], place: int, size: int) -> Segment:
    group = groups[place]
    before = (groups[place - 1][-1].end + group[0].start + 1) // 2 if place else 0
    after = (group[-1].end + groups[place + 1][0].start) // 2 if place + 1 < len(groups) else size
    return Segment(
        max(before, group[0].start - _MARGIN),
        min(after, group[-1].end + _MARGIN),
        sum(span.end - span.start for span in group),
    )
