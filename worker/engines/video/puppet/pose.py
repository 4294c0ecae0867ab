"""What a frame shows: how far each muscle pulls, the tongue, the lids and the head."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from worker.faces.rig import MUSCLES

INDEX = {name: place for place, name in enumerate(MUSCLES)}


@dataclass(frozen=True)
class Pose:
    """muscles: (len(MUSCLES),), 0 is rest and about 1 the full pull. tongue: 0 low to 1 at the upper teeth.
    tip: 0 to 1, the tongue's tip between the teeth. lids: 0 open to 1 shut. gaze: degrees that the eyeballs turn to the
    viewer's right and down, beside the head's own turn. yaw, pitch, roll: of the head, degrees, to the viewer's right,
    down and clockwise. sway: (2,) in thousandths of the portrait's width. breath: 0 out to 1 in.
    """

    muscles: NDArray[np.float32]
    tongue: float = 0.0
    lids: float = 0.0
    yaw: float = 0.0
    pitch: float = 0.0
    roll: float = 0.0
    sway: tuple[float, float] = (0.0, 0.0)
    tip: float = 0.0
    gaze: tuple[float, float] = (0.0, 0.0)
    breath: float = 0.0


def pose(*, tongue: float = 0.0, tip: float = 0.0, lids: float = 0.0, **muscles: float) -> Pose:
    """A pose by names: pose(jaw=0.4, round=1). The head is still."""
    pulls = np.zeros(len(MUSCLES), np.float32)
    for name, pull in muscles.items():
        pulls[INDEX[name]] = pull
    return Pose(pulls, tongue=tongue, tip=tip, lids=lids)


NEUTRAL = pose()
