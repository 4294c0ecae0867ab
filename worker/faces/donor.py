"""What a face that is known from one photo alone borrows from one that was measured: how its mouth opens, how its
lids close, and the teeth.

Everything is kept in measures of the face itself (half the mouth's width, the height of the eye's opening), so that
it fits a face of any size.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.errors import VideoError
from worker.faces import landmarks as lm
from worker.faces import mouth
from worker.faces import rig as rigs
from worker.faces.build import FRAMES, read_frame, read_picture
from worker.faces.light import eye_white
from worker.faces.opening import refined
from worker.faces.shutting import Lid, measured

Image = NDArray[np.uint8]

_LOWER_FACE = (lm.NOSE, lm.CHIN, *lm.LIP_UPPER_OUTER, *lm.LIP_LOWER_OUTER, 172, 397, 136, 365, 150, 379)


@dataclass(frozen=True)
class Donor:
    """opened, bared: (468, 2) displacements in half widths of the mouth. lids: both eyes' shut lids. teeth_at: left,
    top of the plates from the seam's middle, and half: half the mouth's width, both in the donor's pixels. white:
    RGB of the eyes' whites."""

    rest: lm.Points
    opened: lm.Points
    bared: lm.Points
    lids: tuple[Lid, Lid]
    half: float
    teeth_at: NDArray[np.float32]
    teeth: tuple[Image, Image]
    white: NDArray[np.float32]


def read(folder: Path) -> Donor:
    """An avatar's folder with rig.npz and frames. Raises VideoError."""
    points, rig = lm.read(folder / "frames" / "landmarks.npz"), rigs.load(folder / "rig.npz")
    if not {"rest", *FRAMES} <= set(points):
        raise VideoError(f"{folder} has no frames to borrow from")
    picture = read_picture(folder / "portrait.png")
    rest, half = mouth.settled(points["rest"], rig.seam), rig.mouth_half
    opened, bared = (refined(read_frame(folder / "frames", name, picture), points[name]) for name in ("aa", "teeth"))
    middle = np.array([(rig.seam[0, 0] + rig.seam[-1, 0]) / 2, rig.seam[:, 1].mean()], np.float32)
    return Donor(
        rest=rest,
        opened=lm.symmetric(rest, opened) / half,
        bared=lm.symmetric(rest, bared) / half,
        lids=measured(read_frame(folder / "frames", "blink", picture), rest, points["blink"]),
        half=half,
        teeth_at=rig.teeth_at - middle,
        teeth=(rig.teeth_upper, rig.teeth_lower),
        white=eye_white(picture, rest),
    )


def nearest(root: Path, rest: lm.Points) -> Donor:
    """Of the avatars below `root` that have frames, the one whose lower face is most like `rest` in shape.

    Raises VideoError where there is none.
    """
    folders = [path.parents[1] for path in sorted(root.glob("*/frames/landmarks.npz"))]
    if not folders:
        raise VideoError(f"{root} holds no avatar with frames to borrow from")
    return read(min(folders, key=lambda folder: _unlike(folder, rest)))


def _unlike(folder: Path, rest: lm.Points) -> float:
    """The mean distance of its lower face's points to those of `rest`; infinite without any."""
    points = lm.read(folder / "frames" / "landmarks.npz").get("rest")
    return float("inf") if points is None else float(np.abs(_shape(points) - _shape(rest)).mean())


def _shape(points: lm.Points) -> NDArray[np.float32]:
    """The lower face, centred on the mouth and scaled by the face's width."""
    centred = points[list(_LOWER_FACE)] - points[[13, 14]].mean(axis=0)
    return np.asarray(centred / np.linalg.norm(points[lm.CHEEKS[1]] - points[lm.CHEEKS[0]]), np.float32)
