"""Half a body in a square, as EchoMimicV2 was trained to see it: where the face lies, and both hands whole.

EchoMimicV2's demo cuts its square from 0.16 of the body's height above the brows to a little below the wrists, the neck
in the middle. In its reference pictures and poses the brows lie at 0.13 to 0.18 of the side, the chin 0.16 to 0.19
below them, the wrists at 0.65 to 0.95. Here the brows and the face's height place the square, so that hands that rest
lower or higher do not make the face larger or smaller; a picture that is framed like that already stays as it is.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from worker.faces import landmarks as lm
from worker.faces.framing import cut
from worker.faces.hands import KNUCKLE, POINTS, WRIST, Sight, span

Image = NDArray[np.uint8]

SIDE = 768
"""Pixels of the square."""
SOURCE = 480
"""The least that the square has in the picture."""
FACE = 0.165
"""From the brows to the chin, in sides of the square; what is aimed at."""
FACES = (0.115, 0.215)
"""What is taken."""
BROWS = 0.16
"""Where they lie below the square's upper edge."""
BROWS_TAKEN = (0.10, 0.24)
MIDDLE_TAKEN = 0.08
"""So far from the square's middle the face of a picture may lie that stays as it is."""
MARGIN = 0.015
"""Between the hands and the square's edge, in its sides; and the picture's, in its shorter side, divided by three."""
BEYOND = (0.25, 0.12)
"""How much of the square may lie beside the picture on each hand, and above it; the rim is drawn on into it."""
HAND = (0.15, 2.2)
"""The longer side of a hand's box, in the face's height: a fist that points at the camera, an open palm held forward.
What is larger or smaller is not a hand of this face."""

REASONS = {
    "no_face": "no face was found in it",
    "several_faces": "there is more than one face in it",
    "no_hands": "not both hands can be seen in it, apart from each other",
    "hands_cut": "a hand is cut off by its edge",
    "half_far": "the hands are too far from the face: hold them before the belly or the chest",
    "half_near": "it is too close: it must reach from above the head to below the hands, with both elbows",
    "half_small": f"it is too small: half a body needs {SOURCE} x {SOURCE} pixels at least",
}
"""What follows "the half-body picture can't be used: "."""


class Lacking(Exception):
    """Its argument is a key of REASONS."""

    @property
    def reason(self) -> str:
        return str(self.args[0])


@dataclass(frozen=True)
class Half:
    """The square (left, top, side) in the picture's pixels, and the hands (2, 21, 2), 0–1 of the square: first the one
    on the viewer's right."""

    square: tuple[int, int, int]
    hands: NDArray[np.float32]

    def picture(self, rgb: Image, side: int = SIDE) -> Image:
        """(side, side, 3) of the picture that it was found in."""
        whole = cut(rgb, *self.square)
        if whole.shape[0] == side:
            return whole
        smaller = whole.shape[0] > side
        scaled = cv2.resize(whole, (side, side), interpolation=cv2.INTER_AREA if smaller else cv2.INTER_LANCZOS4)
        return np.ascontiguousarray(scaled, np.uint8)


def half_of(sight: Sight, width: int, height: int) -> Half:
    """sight: what is seen in a picture of width x height. Raises Lacking."""
    if not sight.faces or not len(sight.mesh):
        raise Lacking("no_face")
    if sight.faces > 1:
        raise Lacking("several_faces")
    face = _Face.of(sight.mesh)
    hands = _both(sight, face, width, height)
    left, top, side = _square(face, hands, width, height)
    if side < SOURCE:
        raise Lacking("half_small")
    placed = (hands - np.array([left, top], np.float32)) / np.float32(side)
    return Half((left, top, side), placed.astype(np.float32))


def has_room(mesh: NDArray[np.float32], width: int, height: int) -> bool:
    """Whether a picture with a face's mesh (478, 3) may show half a body; one of head and shoulders does not."""
    face = _Face.of(mesh)
    return SOURCE * FACES[0] <= face.height and face.height / FACES[1] <= _most(face, width, height)


@dataclass(frozen=True)
class _Face:
    """x of its middle, y of its brows, and from there to the chin, in pixels."""

    x: float
    brows: float
    height: float

    @classmethod
    def of(cls, mesh: NDArray[np.float32]) -> _Face:
        brows = float(mesh[[point for brow in lm.BROWS for point in brow], 1].min())
        return cls(float(mesh[list(lm.CHEEKS), 0].mean()), brows, max(float(mesh[lm.CHIN, 1]) - brows, 1.0))


def _both(sight: Sight, face: _Face, width: int, height: int) -> NDArray[np.float32]:
    """(2, 21, 2) in pixels, the right one (the viewer's) first. Raises Lacking."""
    hands = [hand for hand in sight.hands if HAND[0] < span(hand) / face.height < HAND[1]]
    hands.sort(key=span, reverse=True)
    rim = MARGIN / 3 * min(width, height)
    size = np.array([width, height], np.float32)
    if any((hand < rim).any() or (hand > size - rim).any() for hand in hands[:2]):
        raise Lacking("hands_cut")
    if len(hands) < 2:
        away = any((wrist[:2] < rim).any() or (wrist[:2] > size - rim).any() for wrist in sight.wrists)
        raise Lacking("hands_cut" if away else "no_hands")
    both = np.stack(hands[:2])
    return both[np.argsort(-both[:, :, 0].mean(axis=1), kind="stable")]


def _square(face: _Face, hands: NDArray[np.float32], width: int, height: int) -> tuple[int, int, int]:
    """Raises Lacking."""
    if _is_placed(face, hands, width, height):
        return 0, 0, width
    low, high = hands.min(axis=(0, 1)), hands.max(axis=(0, 1))
    needed = max(
        (float(high[1]) - face.brows) / (1 - BROWS - MARGIN),
        (face.brows - float(low[1])) / (BROWS - MARGIN),
        max(face.x - float(low[0]), float(high[0]) - face.x) / (0.5 - MARGIN),
    )
    smallest, largest = face.height / FACES[1], face.height / FACES[0]
    if needed > largest:
        raise Lacking("half_far")
    fits = _most(face, width, height)
    side = round(max(min(max(face.height / FACE, needed), fits), smallest))
    if side < needed - 1 or side > fits + 1:
        raise Lacking("half_near")
    return round(face.x - side / 2), min(round(face.brows - BROWS * side), height - side), side


def _most(face: _Face, width: int, height: int) -> float:
    """The largest side that a square about the face may have."""
    return min(
        (height - face.brows) / (1 - BROWS),
        min(face.x, width - face.x) / (0.5 - BEYOND[0]),
        face.brows / (BROWS - BEYOND[1]),
    )


def _is_placed(face: _Face, hands: NDArray[np.float32], width: int, height: int) -> bool:
    """Whether the picture is such a square already."""
    inside = MARGIN / 3 * width <= float(hands.min()) and float(hands.max()) <= (1 - MARGIN / 3) * width
    return (
        width == height
        and inside
        and FACES[0] <= face.height / width <= FACES[1]
        and BROWS_TAKEN[0] <= face.brows / width <= BROWS_TAKEN[1]
        and abs(face.x / width - 0.5) <= MIDDLE_TAKEN
    )


def size_of(hand: NDArray[np.float32]) -> float:
    """From wrist to the middle finger's knuckle, but at least half of the hand's box: hands that point at the camera
    are short. hand: (21, 2), or (n, 21, 2) of which the first counts."""
    one = hand.reshape(-1, POINTS, 2)[0]
    return max(float(np.linalg.norm(one[KNUCKLE] - one[WRIST])), span(one) / 2)
