"""The rule: the best that is done in time, else the fastest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Why(StrEnum):
    """Why a candidate was taken."""

    NO_DEADLINE = "no_deadline"
    """It is the settings' own, and may take as long as it likes."""
    IN_TIME = "in_time"
    """It is the settings' own, and done in time."""
    FASTER = "faster"
    """Better ones would be late."""
    FASTEST = "fastest"
    """All would be late; this one the least."""
    STANDS_IN = "stands_in"
    """Better ones can't draw this avatar, or failed."""
    ENLARGING_LATE = "enlarging_late"
    """As it was, but enlarging frames well would have made it late: the rest is enlarged plainly."""
    NONE = "none"
    """Nothing that can draw this avatar is left."""


@dataclass(frozen=True)
class Candidate:
    """video: an engine. upscale: what enlarges its frames; None: nothing does. video_s, upscale_s: seconds of work a
    second of video, load_s: seconds until the work can begin, as far as known; 0: nothing is."""

    video: str
    upscale: str | None = None
    video_s: float = 0.0
    upscale_s: float = 0.0
    load_s: float = 0.0

    def seconds(self, length_s: float) -> float:
        return self.load_s + length_s * (self.video_s + self.upscale_s)


@dataclass(frozen=True)
class LeftOut:
    """An engine that was not taken, and why: for operators, in English."""

    engine: str
    why: str


@dataclass(frozen=True)
class Choice:
    """What draws a turn's picture, as it is kept with the turn. budget_s: what it may take; None: as long as it likes.
    estimate_s: what it likely takes."""

    video: str | None
    upscale: str | None
    why: Why
    budget_s: float | None = None
    estimate_s: float = 0.0
    left_out: tuple[LeftOut, ...] = ()

    def told(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "video": self.video,
            "upscale": self.upscale,
            "why": self.why.value,
            "budget_s": None if self.budget_s is None else round(self.budget_s, 1),
            "estimate_s": round(self.estimate_s, 1),
            "left_out": [{"engine": each.engine, "why": each.why} for each in self.left_out],
        }


def choose(
    candidates: Sequence[Candidate], length_s: float, budget_s: float | None
) -> tuple[Candidate, Why, tuple[LeftOut, ...]]:
    """Of candidates, the best first (at least one), with why, and those that it was preferred to for being faster."""
    if budget_s is None:
        return candidates[0], Why.NO_DEADLINE, ()
    for place, candidate in enumerate(candidates):
        if candidate.seconds(length_s) <= budget_s:
            late = _late(candidates[:place], candidate, length_s, budget_s)
            return candidate, Why.FASTER if place else Why.IN_TIME, late
    fastest = min(candidates, key=lambda each: each.seconds(length_s))
    return fastest, Why.FASTEST, _late(candidates, fastest, length_s, budget_s)


def _late(candidates: Sequence[Candidate], chosen: Candidate, length_s: float, budget_s: float) -> tuple[LeftOut, ...]:
    """Each engine once: one that draws, unless it was chosen; what would have enlarged the chosen one's frames."""
    late: dict[str, LeftOut] = {}
    for each in candidates:
        if each == chosen:
            continue
        name = each.upscale if each.video == chosen.video else each.video
        if name is not None and name != chosen.upscale:
            late[name] = LeftOut(name, f"too slow: {each.seconds(length_s):.0f} s in {max(budget_s, 0):.0f} s")
    return tuple(late.values())
