"""Coarticulation by dominance.

Cohen and Massaro 1993, "Modeling coarticulation in synthetic visual speech": each segment pulls every articulator
towards its target with a dominance that falls off before and after it, exp(-(d / span)^c); the movement is the average
weighted by dominance. The spans are each articulator's own: corners of the mouth take longer than jaw and tongue, and
lips begin to round long before a rounded vowel where nothing in between minds (Bell-Berti and Harris 1982).
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from worker.engines.video.puppet.mouth.gestures import Gesture
from worker.engines.video.puppet.mouth.visemes import ARTICULATORS, JAW, ROUND, WIDE

REACH = 0.35
"""Seconds beyond which a gesture no longer pulls."""

SPANS: dict[tuple[str, ...], tuple[float, float]] = {
    ("jaw",): (0.028, 0.026),
    ("wide",): (0.065, 0.050),
    ("upper", "lower", "tongue", "tip"): (0.030, 0.026),
    ("round",): (0.042, 0.042),
}
"""Seconds in which a dominance rises before its gesture and falls after it to 1/e, like a Gaussian. press and tuck are
the closures' alone."""

ROUNDING = (0.140, 0.065)
"""The same of a gesture that rounds the lips, whose dominance over rounding rises and falls exponentially."""

INSET = (0.25, 0.02)
"""A dominance begins to fall off inside its gesture: by this part of its length, this many seconds at most."""

IDLE = 0.002
"""How strongly rest pulls always."""

BACKING_RATE = 10.0
"""How fast an emphatic's colour falls off, a second."""

_GROUPS = [np.array([ARTICULATORS.index(name) for name in names]) for names in SPANS]
_RISE, _FALL = 1 / np.array(list(SPANS.values()), np.float32).T[:, :, None, None]
_ROUND = len(SPANS) - 1


@dataclass(frozen=True)
class Pulls:
    """Gestures as arrays: starts, ends, backing, whether they round the lips (n,) and weights, weights x targets
    (n, len(ARTICULATORS))."""

    starts: NDArray[np.float64]
    ends: NDArray[np.float64]
    backing: NDArray[np.float32]
    rounded: NDArray[np.bool_]
    weights: NDArray[np.float32]
    aims: NDArray[np.float32]

    @classmethod
    def of(cls, gestures: list[Gesture]) -> Pulls:
        shape = (len(gestures), len(ARTICULATORS))
        weights = np.array([gesture.viseme.dominance for gesture in gestures], np.float32).reshape(shape)
        targets = np.array([gesture.target for gesture in gestures], np.float32).reshape(shape)
        return cls(
            np.array([gesture.start for gesture in gestures], np.float64),
            np.array([gesture.end for gesture in gestures], np.float64),
            np.array([gesture.viseme.backing for gesture in gestures], np.float32),
            targets[:, ROUND] > 0.2,
            weights,
            weights * targets,
        )

    def between(self, start: float, end: float) -> Pulls:
        """Those that pull somewhere between two moments."""
        first = int(np.searchsorted(self.ends, start - REACH))
        last = int(np.searchsorted(self.starts, end + REACH))
        return Pulls(*(getattr(self, one.name)[first:last] for one in fields(self)))


def blend(pulls: Pulls, points: NDArray[np.float64]) -> NDArray[np.float32]:
    """(points, articulators): the targets averaged by dominance at those moments, seconds."""
    ahead, behind = _distances(pulls, points)
    window = np.maximum(1 - (ahead + behind) / np.float32(REACH), 0)
    away = (_RISE * ahead + _FALL * behind) ** 2
    rounded = pulls.rounded
    away[_ROUND, rounded] = ahead[rounded] / ROUNDING[0] + behind[rounded] / ROUNDING[1]
    fall = np.exp(-away) * window
    track = np.zeros((len(points), len(ARTICULATORS)), np.float32)
    for group, weight in zip(_GROUPS, fall, strict=True):
        total = weight.T @ pulls.weights[:, group] + np.float32(IDLE)
        track[:, group] = (weight.T @ pulls.aims[:, group]) / total
    if pulls.backing.any():
        _colour(track, (pulls.backing[:, None] * np.exp(-BACKING_RATE * (ahead + behind)) * window).max(axis=0))
    return track


def _distances(pulls: Pulls, points: NDArray[np.float64]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """(gestures, points) each: seconds until a gesture and seconds since, 0 within it."""
    inset = np.minimum(INSET[0] * (pulls.ends - pulls.starts), INSET[1])
    ahead = np.maximum((pulls.starts + inset)[:, None] - points, 0)
    behind = np.maximum(points - (pulls.ends - inset)[:, None], 0)
    return ahead.astype(np.float32), behind.astype(np.float32)


def _colour(track: NDArray[np.float32], backing: NDArray[np.float32]) -> None:
    """Emphatics and uvulars lower an open jaw, narrow spread lips and round them a little. backing: (points,)."""
    open_ = np.clip(track[:, JAW] / 0.15, 0, 1)
    track[:, JAW] *= 1 + 0.15 * backing
    track[:, WIDE] *= 1 - 0.5 * backing
    track[:, ROUND] += 0.14 * backing * open_ * (1 - track[:, ROUND])
