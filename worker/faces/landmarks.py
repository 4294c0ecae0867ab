"""Where the parts of a face are: the 468-point topology of MediaPipe's face mesh.

Indices are those of the canonical face model (google-ai-edge/mediapipe, `face_mesh_connections.py`). "left" and
"right" are the viewer's.
"""

from __future__ import annotations

from pathlib import Path
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from core.errors import ModelMissing, VideoError

Points = NDArray[np.float32]
"""(n, 2) x, y in the portrait's pixels."""

COUNT = 468

LIP_UPPER_INNER = (78, 191, 80, 81, 82, 13, 312, 311, 310, 415, 308)
LIP_LOWER_INNER = (78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308)
LIP_UPPER_OUTER = (61, 185, 40, 39, 37, 0, 267, 269, 270, 409, 291)
LIP_LOWER_OUTER = (61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291)
CORNERS = (61, 291)
EYE_UPPER = ((33, 246, 161, 160, 159, 158, 157, 173, 133), (362, 398, 384, 385, 386, 387, 388, 466, 263))
EYE_LOWER = ((33, 7, 163, 144, 145, 153, 154, 155, 133), (362, 382, 381, 380, 374, 373, 390, 249, 263))
BROWS = ((70, 63, 105, 66, 107), (336, 296, 334, 293, 300))
CHIN = 152
NOSE = 1
FOREHEAD = 10
CHEEKS = (234, 454)


def read(path: Path) -> dict[str, Points]:
    """Landmarks by frame name, as `build_rig` left them beside the frames. Raises VideoError."""
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
            return {name: stored[name].astype(np.float32) for name in stored.files}
    except (OSError, ValueError, AttributeError, EOFError, BadZipFile) as error:
        raise VideoError(f"{path}: {error}") from error


def detect(rgb: NDArray[np.uint8]) -> Points:
    """(468, 2) of the one face in (h, w, 3) RGB.

    Raises ModelMissing where mediapipe is not installed, VideoError where no face is found.
    """
    try:
        from mediapipe.python.solutions.face_mesh import FaceMesh
    except ImportError as error:
        raise ModelMissing(
            "mediapipe, which finds a new face's landmarks, is not installed: "
            "run `pip install --no-deps mediapipe==0.10.21 absl-py attrs flatbuffers 'protobuf<5'`"
        ) from error
    with FaceMesh(static_image_mode=True, max_num_faces=1, refine_landmarks=True) as mesh:
        found = mesh.process(np.ascontiguousarray(rgb)).multi_face_landmarks
    if not found:
        raise VideoError("no face was found in the portrait")
    height, width = rgb.shape[:2]
    points = [(point.x * width, point.y * height) for point in found[0].landmark[:COUNT]]
    return np.asarray(points, np.float32)


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
