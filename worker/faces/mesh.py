"""Faces in a picture, found by MediaPipe's models (detector and face mesh), which its package carries.

The library prints to standard error and takes half a second to import, so this module is imported by processes that
exist for it alone: `python -m worker.faces.mesh PICTURE TARGET` writes the one face's `mesh` and `person` as `.npz`;
`worker.adding.rigging` is the other. Exit status 3 means that there is no face, 4 that mediapipe is not installed.
"""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import cv2
import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]

NO_FACE, NO_MODEL = 3, 4
LACK = "mediapipe, which finds faces and hands, is not installed: run `make install`"
CERTAIN = 0.5
"""The detectors' own default score (mediapipe, `face_detection.py`)."""
AROUND = 2.0
"""The mesh is sought in a square of so many times the detector's box: its own detector then sees a large face."""


@dataclass(frozen=True)
class Found:
    """A face's box in pixels, from the brows to the chin, and the detector's score 0–1."""

    left: float
    top: float
    width: float
    height: float
    score: float

    @property
    def middle(self) -> tuple[float, float]:
        return self.left + self.width / 2, self.top + self.height / 2


def sparing() -> None:
    """Before mediapipe is imported. It imports matplotlib for a function that nobody here calls; that costs seconds and
    writes a cache. And it opens the graphics driver that it finds, for models that run on the processor too; NVIDIA's
    takes some of the card's memory, so it finds none (libglvnd, `src/EGL/icd_enumeration.md`)."""
    os.environ["__EGL_VENDOR_LIBRARY_FILENAMES"] = os.devnull
    for name in ("matplotlib", "matplotlib.pyplot"):
        sys.modules.setdefault(name, ModuleType(name))


def faces(rgb: Image) -> list[Found]:
    """Every face, the largest first; model 0 is made for faces within 2 m, model 1 for those within 5 m."""
    sparing()
    from mediapipe.python.solutions.face_detection import FaceDetection

    found: list[Found] = []
    for model in (1, 0):
        with FaceDetection(model_selection=model, min_detection_confidence=CERTAIN) as detector:
            for detection in detector.process(np.ascontiguousarray(rgb)).detections or ():
                face = _found(detection, rgb.shape[1], rgb.shape[0])
                if not any(_same(face, other) for other in found):
                    found.append(face)
    return sorted(found, key=lambda face: -face.width)


def _found(detection: object, width: int, height: int) -> Found:
    box = detection.location_data.relative_bounding_box  # type: ignore[attr-defined]
    score = float(detection.score[0])  # type: ignore[attr-defined]
    return Found(box.xmin * width, box.ymin * height, box.width * width, box.height * height, score)


def _same(one: Found, other: Found) -> bool:
    """One face's middle lies in the other's box."""
    (x, y), reach = one.middle, max(one.width, other.width) / 2
    return bool(abs(x - other.middle[0]) < reach and abs(y - other.middle[1]) < reach)


def mesh(rgb: Image, face: Found | None = None) -> NDArray[np.float32] | None:
    """(478, 3): x, y in pixels and depth in the same unit, towards the camera negative; the last ten are the irises.
    None where no face is seen. face: where to look; the whole picture without it."""
    left, top, crop = (0, 0, rgb) if face is None else _around(rgb, face)
    sparing()
    from mediapipe.python.solutions.face_mesh import FaceMesh

    with FaceMesh(static_image_mode=True, max_num_faces=1, refine_landmarks=True) as model:
        found = model.process(np.ascontiguousarray(crop)).multi_face_landmarks
    if not found:
        return None
    height, width = crop.shape[:2]
    points = [(left + p.x * width, top + p.y * height, p.z * width) for p in found[0].landmark]
    return np.asarray(points, np.float32)


def _around(rgb: Image, face: Found) -> tuple[int, int, Image]:
    """Left, top and a square about the face; what lies beyond the picture is grey."""
    side = round(AROUND * max(face.width, face.height))
    left, top = round(face.middle[0] - side / 2), round(face.middle[1] - side / 2)
    crop = np.full((side, side, 3), 128, np.uint8)
    rows = slice(max(top, 0), min(top + side, rgb.shape[0]))
    columns = slice(max(left, 0), min(left + side, rgb.shape[1]))
    crop[rows.start - top : rows.stop - top, columns.start - left : columns.stop - left] = rgb[rows, columns]
    return left, top, crop


def person(rgb: Image) -> NDArray[np.float32]:
    """(h, w) 0–1: how sure MediaPipe's selfie segmentation is that a pixel is the person's; it looks at 256 x 256."""
    sparing()
    from mediapipe.python.solutions.selfie_segmentation import SelfieSegmentation

    with SelfieSegmentation(model_selection=0) as model:
        return np.asarray(model.process(np.ascontiguousarray(rgb)).segmentation_mask, np.float32)


def main(picture: str, target: str) -> int:
    sparing()
    try:
        import mediapipe  # noqa: F401 - asked for before the work begins
    except ImportError:
        return NO_MODEL
    rgb = cv2.cvtColor(np.asarray(cv2.imread(picture)), cv2.COLOR_BGR2RGB).astype(np.uint8)
    points = mesh(rgb)
    if points is None:
        return NO_FACE
    with Path(target).open("wb") as file:
        np.savez_compressed(file, mesh=points, person=person(rgb).astype(np.float16))
    return 0


if __name__ == "__main__":
    raise SystemExit(main(*sys.argv[1:]))
