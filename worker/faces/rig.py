"""Everything that the puppet needs of a face, measured once and kept beside the portrait in `rig.npz`.

All places are pixels of the portrait. The expression is a sum of displacement fields, one a `MUSCLE`, each given
twice: how the skin above the lips' seam moves, and how the skin below it moves. Where both part, the mouth is open.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from core.errors import VideoError

VERSION = 2

MUSCLES = (
    "jaw",  # dropped until the lips part by 0.75 of the mouth's half width
    "wide",  # a grin that bares the teeth
    "round",  # corners drawn in, lips pouted
    "press",  # lips drawn thin against each other
    "tuck",  # lower lip under the upper teeth
    "upper",  # upper lip raised
    "lower",  # lower lip drawn down
    "smile",  # corners out and up, lips closed
    "brow",  # brows raised
    "worry",  # inner ends of the brows raised
    "knit",  # brows drawn down and together
    "sad",  # corners drawn down
    "cheek",  # cheeks and lower lids raised
)


@dataclass(frozen=True)
class Rig:
    """A face that can be moved.

    origin, spacing: of the grid on which the fields are given. upper, lower: (muscles, rows, columns, 2).
    seam: (n, 2), the line between the closed lips from corner to corner, left to right.
    teeth_at: left, top of the two plates; teeth_upper, teeth_lower: (h, w, 4) RGB premultiplied with alpha, alpha.
    teeth_jaw: how far the jaw was open where the plates were taken; jaw_travel: pixels that the lower teeth move
    for jaw = 1. tongue: RGB. flesh: (2, 3) RGB of the lips, left and right.
    lids_at: (2, 2) left, top of each eye's patches; lids: (2, steps, h, w, 3), open to shut.
    iris: (2, 3) x, y and radius of each eye's iris. gaze: (2, steps, h, w), as `lids`: how much of the iris' shift
    each pixel follows, of 255.
    alpha: (h, w) of the portrait's size, how much of each pixel is the person, of 255.
    head_spacing: pixels between the nodes of the three grids of the head, whose first node is the portrait's pixel
    (0, 0) and whose last lies at or beyond its rim. depth: (rows, columns) pixels towards the viewer, from `pivot`;
    follow: (rows, columns) 0–1, how much of the head's motion reaches the place; breath: (rows, columns, 2), where a
    deep breath moves it. pivot: x, y about which the head turns.
    chin, forehead: y. cheeks: x of the face's left and right rim.
    """

    size: NDArray[np.int32]
    origin: NDArray[np.float32]
    spacing: NDArray[np.float32]
    upper: NDArray[np.float16]
    lower: NDArray[np.float16]
    seam: NDArray[np.float32]
    teeth_at: NDArray[np.int32]
    teeth_upper: NDArray[np.uint8]
    teeth_lower: NDArray[np.uint8]
    teeth_jaw: NDArray[np.float32]
    jaw_travel: NDArray[np.float32]
    tongue: NDArray[np.float32]
    flesh: NDArray[np.float32]
    lids_at: NDArray[np.int32]
    lids: NDArray[np.uint8]
    iris: NDArray[np.float32]
    gaze: NDArray[np.uint8]
    alpha: NDArray[np.uint8]
    head_spacing: NDArray[np.float32]
    depth: NDArray[np.float16]
    follow: NDArray[np.float16]
    breath: NDArray[np.float16]
    pivot: NDArray[np.float32]
    chin: NDArray[np.float32]
    forehead: NDArray[np.float32]
    cheeks: NDArray[np.float32]

    @property
    def mouth_half(self) -> float:
        """Half the mouth's width at rest."""
        return float(self.seam[-1, 0] - self.seam[0, 0]) / 2

    def save(self, path: Path) -> None:
        np.savez_compressed(path, version=VERSION, **{field.name: getattr(self, field.name) for field in fields(self)})


def load(path: Path) -> Rig:
    """Raises VideoError where the file is missing, damaged or of another version; it names the remedy."""
    remedy = f"run `smarttalker avatar rig {path.parent.name}`"
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
            if int(stored["version"]) != VERSION:
                raise VideoError(f"{path} is of another version: {remedy}")
            rig = Rig(**{field.name: stored[field.name] for field in fields(Rig)})
        if not all(np.isfinite(getattr(rig, field.name)).all() for field in fields(Rig)):
            raise VideoError(f"{path} holds what is no number: {remedy}")
        return rig
    except (OSError, ValueError, KeyError, TypeError, AttributeError, EOFError, BadZipFile) as error:
        raise VideoError(f"{path} can't be read ({error}): {remedy}") from error
