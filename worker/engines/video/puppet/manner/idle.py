"""A face that waits: a loop without a seam, which answers can be joined to where it begins anew."""

from __future__ import annotations

import math
from random import Random

import numpy as np

from worker.engines.video.puppet.manner.blinks import ENDS_BEFORE, LENGTH, STARTS_AFTER, lids
from worker.engines.video.puppet.manner.breathing import CYCLE, DEPTH, INWARDS
from worker.engines.video.puppet.manner.curves import smooth
from worker.engines.video.puppet.manner.gaze import Gaze
from worker.engines.video.puppet.manner.noise import LoopNoise, dice
from worker.engines.video.puppet.pose import INDEX, NEUTRAL, Pose
from worker.faces.rig import MUSCLES

SIZES = (1.2, 0.7, 0.6, 1.6, 0.8)
"""Degrees of yaw, pitch and roll; thousandths of the picture's width across and down."""

BROWS = 0.07
"""How far the brows rise at most."""

LAST_LOOK = 0.6
"""Seconds before the loop's end from which on the eyes look into the camera."""

SHORTEST = 4.0
"""Seconds a loop lasts at least."""

_BROW = INDEX["brow"]


def idle_poses(seed: str, fps: int, seconds: float = 6.0) -> list[Pose]:
    """The frames of one round, about `seconds` long: the last is followed by the first. The mouth rests; the first is
    NEUTRAL, and so nearly are those beside it. Raises ValueError for a loop shorter than SHORTEST seconds."""
    count = round(fps * seconds)
    if count < SHORTEST * fps:
        raise ValueError(f"a loop lasts {SHORTEST:g} s at least, not {seconds:g} s")
    loop = _Loop(seed, count / fps)
    return [NEUTRAL, *(loop.at(place / fps) for place in range(1, count))]


class _Loop:
    """Asked in order of time."""

    def __init__(self, seed: str, seconds: float) -> None:
        self._seconds = seconds
        self._noise = [LoopNoise(dice(seed, f"idle {part}"), seconds) for part in range(len(SIZES))]
        self._brow = LoopNoise(dice(seed, "idle brow"), seconds)
        self._blinks = _blinks(dice(seed, "idle blinks"), seconds)
        self._gaze = Gaze(dice(seed, "idle gaze"))
        self._breath = seconds / max(1, round(seconds / CYCLE))

    def at(self, moment: float) -> Pose:
        size = self._away(moment)
        yaw, pitch, roll, x, y = (
            size * most * noise.at(moment) for most, noise in zip(SIZES, self._noise, strict=True)
        )
        if moment >= self._seconds - LAST_LOOK:
            self._gaze.rest(self._seconds - LAST_LOOK)
        look = self._gaze.at(moment)
        muscles = np.zeros(len(MUSCLES), np.float32)
        muscles[_BROW] = size * BROWS * (0.5 + 0.5 * self._brow.at(moment))
        return Pose(
            muscles,
            lids=max(lids(moment - start) for start in self._blinks),
            yaw=yaw,
            pitch=pitch,
            roll=roll,
            sway=(x, y),
            gaze=(look[0] - yaw, look[1] - pitch),
            breath=DEPTH * self._chest((moment / self._breath) % 1.0),
        )

    def _away(self, moment: float) -> float:
        """0 where the loop begins anew, 1 for most of it; smooth all around."""
        return float(1 - math.cos(math.pi * moment / self._seconds) ** 8)

    @staticmethod
    def _chest(part: float) -> float:
        """0 out to 1 in, over one breath."""
        return smooth(part / INWARDS) if part < INWARDS else 1 - smooth((part - INWARDS) / (1 - INWARDS))


def _blinks(random: Random, seconds: float) -> list[float]:
    """When they begin: two, one in a short loop."""
    last = seconds - ENDS_BEFORE - LENGTH
    if seconds < 5:
        return [random.uniform(STARTS_AFTER, last)]
    return [random.uniform(0.15, 0.40) * seconds, random.uniform(0.60 * seconds, last)]
