"""A rig from one photo: the face's own skin, moved as a measured face's (`worker.faces.donor`) was seen to move."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from worker.faces import landmarks as lm
from worker.faces import lids, mouth, muscles
from worker.faces.build import TONGUE, assembled
from worker.faces.donor import Donor, eye_white
from worker.faces.rig import Rig
from worker.faces.shutting import shut_eyes

Image = NDArray[np.uint8]

GAIN = (0.55, 1.1)
"""How much darker or brighter than the donor's the teeth may become."""
TINT = (0.85, 1.12)
"""How far one colour of them may leave the mean of the three."""


def rig_of(rest: Image, points: lm.Points, donor: Donor) -> Rig:
    """rest: (h, w, 3) RGB, a frontal face with its mouth closed; points: its landmarks (468, 2)."""
    closed = muscles.Mouth(mouth.seam(rest, points))
    face = muscles.Face(points, closed, donor.opened * closed.half, donor.bared * closed.half)
    shut, shut_at = shut_eyes(rest, points, donor.lids)
    eyes = lids.atlas(rest, shut, points, shut_at)
    light = _light(eye_white(rest, points), donor.white)
    return assembled(rest, face, _teeth(donor, closed, light), eyes, np.asarray(TONGUE, np.float32) * light)


def _light(white: NDArray[np.float32], donors: NDArray[np.float32]) -> NDArray[np.float32]:
    """A factor for each colour of what the donor's mouth shows."""
    ratio = white / np.maximum(donors, 1)
    gain = float(ratio.mean())
    return np.asarray(np.clip(ratio / gain, *TINT) * np.clip(gain, *GAIN), np.float32)


def _teeth(donor: Donor, closed: muscles.Mouth, light: NDArray[np.float32]) -> tuple[NDArray[np.int32], Image, Image]:
    """As `mouth.plates` gives them: the donor's, in this mouth's size and light."""
    scale = closed.half / donor.half
    middle = np.array([closed.middle, closed.seam[:, 1].mean()], np.float32)
    upper, lower = (_lit(_scaled(plate, scale), light) for plate in donor.teeth)
    return np.rint(middle + donor.teeth_at * scale).astype(np.int32), upper, lower


def _scaled(plate: Image, scale: float) -> Image:
    size = (max(1, round(plate.shape[1] * scale)), max(1, round(plate.shape[0] * scale)))
    return cv2.resize(plate, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC).astype(np.uint8)


def _lit(plate: Image, light: NDArray[np.float32]) -> Image:
    factors = np.append(light, 1).astype(np.float32)
    return (plate * factors).clip(0, 255).astype(np.uint8)
