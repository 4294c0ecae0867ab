"""How long a turn's picture may take, and how long it will be."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from worker.parts import Parts

USUAL_S = 15.0
"""Seconds of an answer, until some were measured: three sentences."""
CHARACTERS_A_SECOND = 14.0
"""Of what is spoken, Arabic without its vowels and English alike, pauses included."""


@dataclass(frozen=True)
class Budget:
    """left_s: seconds to the deadline at the moment `since` (time.monotonic()), below zero once it is over; None: there
    is no deadline. waiting: turns that wait for this one to end."""

    left_s: float | None = None
    waiting: int = 0
    since: float = field(default_factory=time.monotonic)

    def seconds(self, now: float | None = None) -> float | None:
        """This turn's share of what is left: those that wait want as much."""
        if self.left_s is None:
            return None
        passed = (time.monotonic() if now is None else now) - self.since
        return (self.left_s - passed) / (1 + self.waiting)


def length(parts: Parts, usual_s: float | None) -> float:
    """Seconds of the answer: known once all is spoken; before that the most of what was spoken, what is known of its
    text, and what answers usually are."""
    known = parts.total_seconds
    if known is not None:
        return known
    return max(parts.seconds, parts.characters / CHARACTERS_A_SECOND, usual_s or USUAL_S)
