"""Where the parts of a face are: the 468-point topology of MediaPipe's face mesh.

Indices are those of the canonical face model (google-ai-edge/mediapipe, `face_mesh_connections.py`). "left" and
"right" are the viewer's.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from zipfile import BadZipFile

import cv2
import numpy as np
from numpy.typing import NDArray

from core.errors import ModelMissing, VideoError
from worker.faces.mesh import LACK, NO_MODEL
from worker.surroundings import bare

Points = NDArray[np.float32]
"""(n, 2) x, y in the portrait's pixels."""

Mesh = NDArray[np.float32]
"""(478, 3): x, y in pixels and depth in the same unit, towards the camera negative; the last ten are the irises."""

COUNT = 468
MESH_COUNT = 478
"""With the ten of the irises."""

LIP_UPPER_INNER = (78, 191, 80, 81, 82, 13, 312, 311, 310, 415, 308)
LIP_LOWER_INNER = (78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308)
LIP_UPPER_OUTER = (61, 185, 40, 39, 37, 0, 267, 269, 270, 409, 291)
LIP_LOWER_OUTER = (61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291)
LIP_UPPER_RINGS = ((184, 74, 73, 72, 11, 302, 303, 304, 408), (183, 42, 41, 38, 12, 268, 271, 272, 407))
LIP_LOWER_RINGS = ((77, 90, 180, 85, 16, 315, 404, 320, 307), (96, 89, 179, 86, 15, 316, 403, 319, 325))
"""On the lips, between their outer and their inner rim."""
CORNERS = (61, 291)
EYE_UPPER = ((33, 246, 161, 160, 159, 158, 157, 173, 133), (362, 398, 384, 385, 386, 387, 388, 466, 263))
EYE_LOWER = ((33, 7, 163, 144, 145, 153, 154, 155, 133), (362, 382, 381, 380, 374, 373, 390, 249, 263))
BROWS_BELOW = ((46, 53, 52, 65, 55), (276, 283, 282, 295, 285))
BROWS = ((70, 63, 105, 66, 107), (336, 296, 334, 293, 300))
IRISES = ((468, 469, 470, 471, 472), (473, 474, 475, 476, 477))
"""The middle and four points of the rim, the viewer's left eye first."""
CHIN = 152
NOSE = 1
FOREHEAD = 10
CHEEKS = (234, 454)

DETECT_S = 60.0
"""Seconds that finding a face may take; on one slow core it takes three."""


def read(path: Path) -> dict[str, Points]:
    """Landmarks by frame name, as `build_rig` left them beside the frames. Raises VideoError."""
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
            return {name: stored[name].astype(np.float32) for name in stored.files}
    except (OSError, ValueError, AttributeError, EOFError, BadZipFile) as error:
        raise VideoError(f"{path}: {error}") from error


@dataclass(frozen=True)
class Seen:
    """What the models see of a portrait. person: (h, w) 0–1, where the person is."""

    mesh: Mesh
    person: NDArray[np.float32]

    @property
    def points(self) -> Points:
        """(468, 2): the face without the irises."""
        return self.mesh[:COUNT, :2]


def detect(rgb: NDArray[np.uint8]) -> Seen:
    """The one face in (h, w, 3) RGB, found in a process of its own (see `worker.faces.mesh`).

    Raises ModelMissing where mediapipe is not installed, VideoError where no face is found.
    """
    with tempfile.TemporaryDirectory(prefix="smarttalker-") as folder:
        picture, target = Path(folder) / "picture.png", Path(folder) / "seen.npz"
        cv2.imwrite(str(picture), cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR))
        command = [sys.executable, "-m", "worker.faces.mesh", str(picture), str(target)]
        done = subprocess.run(command, capture_output=True, check=False, timeout=DETECT_S, env=bare())
        if done.returncode == NO_MODEL:
            raise ModelMissing(LACK)
        if done.returncode != 0:
            raise VideoError("no face was found in the portrait")
        with np.load(target, allow_pickle=False) as seen:
            return Seen(seen["mesh"].astype(np.float32), seen["person"].astype(np.float32))


def symmetric(rest: Points, moved: Points) -> Points:
    """The displacement from `rest` to `moved`, averaged with its mirror image: it halves the detector's noise.

    A point's partner is the one nearest to its mirror image at rest and moved together (the lips' inner rims meet
    at rest); the axis is the median of the midline.
    """
    axis = float(np.median(rest[[FOREHEAD, NOSE, 0, 13, 14, 17, CHIN], 0]))
    places = np.concatenate([rest, moved], axis=1)
    mirrored = places * (-1, 1, -1, 1) + (2 * axis, 0, 2 * axis, 0)
    partner = np.argmin(np.linalg.norm(places[None] - mirrored[:, None], axis=2), axis=1)
    shift = moved - rest
    return np.asarray((shift + shift[partner] * (-1, 1)) / 2, np.float32)
