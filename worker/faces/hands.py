"""Face and hands in a picture of half a body, found by MediaPipe's models, which its package carries.

Like `worker.faces.mesh` it is imported by processes that exist for it alone: `python -m worker.faces.hands PICTURE
TARGET` writes what `look` sees as `.npz` (see `Sight`). Exit status 4 means that mediapipe is not installed.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from worker.faces import mesh as meshes
from worker.faces.mesh import NO_MODEL, Image, sparing

POINTS = 21
"""Of a hand: the wrist, then thumb, index, middle, ring and little finger, four each from the palm to the tip. It is
the order of MediaPipe's hands and of COCO-WholeBody's."""
WRIST, KNUCKLE = 0, 9
"""KNUCKLE: where the middle finger begins; from wrist to there is a hand's size."""
CERTAIN = 0.4
"""The least score of a palm. Half a body's hands are a twentieth of the picture; at 0.5 one in ten is missed."""
SAME = 0.6
"""Two finds whose points lie nearer on the mean, in the larger one's span, are one hand."""
CLOSER = 1.6
"""Side of the square in which a hand is sought again, in lengths of the forearm."""
SEEN = 1280
"""The picture's longer side where hands are sought; the detectors look at 192 to 224 pixels of it."""
_ARMS = ((13, 15), (14, 16))
"""Elbow and wrist, left and right (MediaPipe's pose)."""


@dataclass(frozen=True)
class Sight:
    """What the models see. faces: how many. mesh: (478, 3) of the largest, empty without one. hands: (n, 21, 2) pixels.
    wrists: (n, 3), n is 0 or 2: x, y in pixels and how likely it is to be seen, 0–1, guessed from the whole body."""

    faces: int
    mesh: NDArray[np.float32]
    hands: NDArray[np.float32]
    wrists: NDArray[np.float32]

    def save(self, path: Path) -> None:
        with path.open("wb") as file:
            np.savez_compressed(file, faces=self.faces, mesh=self.mesh, hands=self.hands, wrists=self.wrists)

    @classmethod
    def load(cls, path: Path) -> Sight:
        """Raises OSError, KeyError or ValueError for what `save` did not write."""
        with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
            arrays = (stored[name].astype(np.float32) for name in ("mesh", "hands", "wrists"))
            return cls(int(stored["faces"]), *arrays)


def look(rgb: Image) -> Sight:
    """rgb: (h, w, 3). Needs mediapipe."""
    scale = min(SEEN / max(rgb.shape[:2]), 1.0)
    small = cv2.resize(rgb, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA) if scale < 1 else rgb
    seen = np.ascontiguousarray(small, np.uint8)
    faces = meshes.faces(seen)
    mesh = meshes.mesh(seen, faces[0]) if faces else None
    arms = _arms(seen)
    found = _distinct([*_hands(seen, 4), *(hand for arm in arms for hand in _near(seen, arm))])
    return Sight(
        _people(faces),
        np.zeros((0, 3), np.float32) if mesh is None else mesh / np.float32(scale),
        np.asarray(found, np.float32).reshape(-1, POINTS, 2) / np.float32(scale),
        np.asarray([arm[1] / (scale, scale, 1) for arm in arms], np.float32).reshape(-1, 3),
    )


BYSTANDER = 0.35
"""A face of so much of the largest one's width is a second person; a smaller one is somebody far behind."""


def _people(faces: list[meshes.Found]) -> int:
    return sum(face.width >= BYSTANDER * faces[0].width for face in faces)


def _hands(rgb: Image, most: int) -> list[NDArray[np.float32]]:
    """(21, 2) each, in pixels."""
    sparing()
    from mediapipe.python.solutions.hands import Hands

    size = np.array(rgb.shape[1::-1], np.float32)
    with Hands(static_image_mode=True, max_num_hands=most, min_detection_confidence=CERTAIN) as model:
        found = model.process(np.ascontiguousarray(rgb)).multi_hand_landmarks or ()
    return [np.array([(point.x, point.y) for point in hand.landmark], np.float32) * size for hand in found]


def _arms(rgb: Image) -> list[NDArray[np.float32]]:
    """(2, 3) each: elbow and wrist, x, y in pixels and how likely they are to be seen; none where no body is seen."""
    sparing()
    from mediapipe.python.solutions.pose import Pose

    height, width = rgb.shape[:2]
    with Pose(static_image_mode=True, model_complexity=1) as model:
        body = model.process(np.ascontiguousarray(rgb)).pose_landmarks
    if not body:
        return []
    points = np.array([(p.x * width, p.y * height, p.visibility) for p in body.landmark], np.float32)
    return [points[list(arm)] for arm in _ARMS]


def _near(rgb: Image, arm: NDArray[np.float32]) -> list[NDArray[np.float32]]:
    """The hand beyond a wrist, looked for from close by: a small one is not seen in the whole picture."""
    elbow, wrist = arm[:, :2]
    side = int(CLOSER * np.linalg.norm(wrist - elbow))
    low = np.rint(wrist + 0.3 * (wrist - elbow) - side / 2).astype(int)
    left, top = np.maximum(low, 0)
    crop = rgb[top : max(low[1] + side, 0), left : max(low[0] + side, 0)]
    if min(crop.shape[:2]) < SMALLEST:
        return []
    return [hand + np.array([left, top], np.float32) for hand in _hands(crop, 1)]


SMALLEST = 32
"""Pixels of a picture in which a hand is looked for."""


def _distinct(found: list[NDArray[np.float32]]) -> list[NDArray[np.float32]]:
    """Each hand once, the first find of it."""
    kept: list[NDArray[np.float32]] = []
    for hand in found:
        if all(np.linalg.norm(hand - other, axis=1).mean() > SAME * span(other) for other in kept):
            kept.append(hand)
    return kept


def span(hand: NDArray[np.float32]) -> float:
    """The longer side of a hand's box, in the unit of its points (21, 2)."""
    return float(np.ptp(hand, axis=0).max())


def main(picture: str, target: str) -> int:
    sparing()
    try:
        import mediapipe  # noqa: F401 - asked for before the work begins
    except ImportError:
        return NO_MODEL
    rgb = cv2.cvtColor(np.asarray(cv2.imread(picture)), cv2.COLOR_BGR2RGB).astype(np.uint8)
    look(rgb).save(Path(target))
    return 0


if __name__ == "__main__":
    raise SystemExit(main(*sys.argv[1:]))
