"""What a photo must show: one frontal face, whole, sharp, lit, with open eyes and a mouth that is shut or
smiles.

The limits were set on rendered and photographed faces; each lies between what moves well and what does not.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from worker.adding.refused import Refused
from worker.faces import landmarks as lm
from worker.faces.closing import parting
from worker.faces.mesh import Found

Image = NDArray[np.uint8]
Mesh = NDArray[np.float32]

FACE_WIDTH = 90
"""Pixels between the cheeks: a quarter of a shipped portrait's, a little less than half of what a message shows."""
BYSTANDER = 0.35
"""A face of so much of the largest one's width is a second person; a smaller one is somebody far behind."""
YAW, PITCH, ROLL = 14.0, 14.0, 32.0
"""Degrees; roll is straightened, the others are not."""
LEVEL_PITCH = 10.0
"""The slope from forehead to chin of a face that looks straight ahead, degrees (the shipped portraits': 9 to 11)."""
EYES_OPEN = 0.13
"""Height of the eye's opening over its width."""
MOUTH_CLOSED, MOUTH_OPEN = 0.14, 0.6
"""The lips' parting over half the mouth's width: closed lips, and those that can be closed (a toothy smile has 0.45);
more is a shout or a laugh."""
STUDIED = 256
"""Pixels between the cheeks when sharpness and light are measured."""
SHARP = 1.3
"""Percent; a good portrait has 6, one blurred by a hundredth of the face's width (Gaussian) 1."""
DARK, PALE = 42.0, 0.30
"""The least light on the skin, 0–255, where dark skin in a lit room has 80; the most of the face that may be white."""
BLIND = 0.42
"""Whites of the eyes behind sunglasses have 0.1 of the skin's light, behind spectacles 0.65, bare ones 0.9 and more."""
MASKED = 1.8
"""In CIELAB: lips have 4 at least, a mask's cloth 0.5."""


def one_face(faces: list[Found]) -> Found:
    """The largest; raises Refused: no_face or several_faces."""
    if not faces:
        raise Refused("no_face")
    if any(face.width >= BYSTANDER * faces[0].width for face in faces[1:]):
        raise Refused("several_faces")
    return faces[0]


def width_of(mesh: Mesh) -> float:
    """Between the cheeks, however the head is turned."""
    return float(np.linalg.norm(mesh[lm.CHEEKS[1]] - mesh[lm.CHEEKS[0]]))


def angles(mesh: Mesh) -> tuple[float, float, float]:
    """Yaw (to the viewer's right positive), pitch (down positive) and roll (clockwise), in degrees."""
    across, down = mesh[lm.CHEEKS[1]] - mesh[lm.CHEEKS[0]], mesh[lm.CHIN] - mesh[lm.FOREHEAD]
    eyes = mesh[lm.EYE_UPPER[1][-1]] - mesh[lm.EYE_UPPER[0][0]]
    yaw, roll = np.arctan2(across[2], np.hypot(*across[:2])), np.arctan2(eyes[1], eyes[0])
    pitch = np.arctan2(down[2], np.hypot(*down[:2]))
    return float(np.degrees(yaw)), float(np.degrees(pitch)) - LEVEL_PITCH, float(np.degrees(roll))


def check_place(mesh: Mesh, width: int, height: int) -> None:
    """Size, turn and place in a photo of width x height. Raises Refused: face_small, turned, tilted or cut_off."""
    wide = width_of(mesh)
    yaw, pitch, roll = angles(mesh)
    if abs(yaw) > YAW:
        raise Refused("turned")
    if abs(pitch) > PITCH or abs(roll) > ROLL:
        raise Refused("tilted")
    low, high = mesh[:, :2].min(axis=0), mesh[:, :2].max(axis=0)
    if min(low) < 0 or high[0] > width or high[1] + 0.03 * wide > height:
        raise Refused("cut_off")
    if wide < FACE_WIDTH:
        raise Refused("face_small")


def check_look(portrait: Image, mesh: Mesh) -> None:
    """Light, sharpness, eyes and mouth of the portrait. Raises Refused: dark, pale, blurred, eyes_covered, eyes_shut,
    mouth_covered or mouth_open."""
    look = study(portrait, mesh)
    for reason, wrong in (
        ("dark", look.light < DARK),
        ("pale", look.clipped > PALE),
        ("blurred", look.sharpness < SHARP),
        ("eyes_covered", look.whites < BLIND),
        ("eyes_shut", look.opening < EYES_OPEN),
        ("mouth_covered", look.lips < MASKED),
        ("mouth_open", look.parting > MOUTH_OPEN),
    ):
        if wrong:
            raise Refused(reason)


@dataclass(frozen=True)
class Look:
    """light: the face's brighter skin, 0–255. clipped: share of it at the limit. sharpness: the standard deviation of
    the Laplacian over the face's features, in percent of the light. whites: the eyes' brightest over the skin's light.
    opening: the less open eye's height over its width. lips: how far the lips' colour is from that around them, in
    CIELAB. parting: of the lips over half the mouth's width.
    """

    light: float
    clipped: float
    sharpness: float
    whites: float
    opening: float
    lips: float
    parting: float


def study(portrait: Image, mesh: Mesh) -> Look:
    scale = STUDIED / width_of(mesh)
    rgb = cv2.resize(portrait, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA).astype(np.uint8)
    points = mesh[:, :2] * scale
    light = rgb.astype(np.float32).mean(axis=2)
    face, eyes = _inside(points, _HULL, rgb), [_inside(points, rim, rgb) for rim in _EYES]
    skin = float(np.percentile(light[face], 75))
    mouth, lab = _inside(points, _LIPS, rgb), cv2.cvtColor(rgb, cv2.COLOR_RGB2LAB).astype(np.float32)
    ring = (cv2.dilate(mouth.astype(np.uint8), np.ones((15, 15), np.uint8)) > 0) & ~_wider(mouth, 3)
    features = _wider(eyes[0] | eyes[1] | mouth, 9)
    edges = cv2.Laplacian(cv2.GaussianBlur(light, (0, 0), 0.8), cv2.CV_32F)
    return Look(
        light=skin,
        clipped=float((rgb[face].min(axis=1) >= 250).mean()),
        sharpness=100 * float(edges[features].std()) / max(skin, 1.0),
        whites=min(float(np.percentile(light[eye], 92)) for eye in eyes) / max(skin, 1.0),
        opening=min(_opening(points, eye) for eye in range(2)),
        lips=_apart(lab, mouth, ring),
        parting=parting(points[: lm.COUNT]),
    )


_HULL = np.arange(lm.COUNT)
_EYES = [np.array(upper + lower[::-1]) for upper, lower in zip(lm.EYE_UPPER, lm.EYE_LOWER, strict=True)]
_LIPS = np.array(lm.LIP_UPPER_OUTER + lm.LIP_LOWER_OUTER[::-1])


def _inside(points: NDArray[np.float32], which: NDArray[np.int64], rgb: Image) -> NDArray[np.bool_]:
    mask = np.zeros(rgb.shape[:2], np.uint8)
    cv2.fillConvexPoly(mask, cv2.convexHull(np.rint(points[which]).astype(np.int32)), 1)
    return mask > 0


def _wider(mask: NDArray[np.bool_], pixels: int) -> NDArray[np.bool_]:
    return np.asarray(cv2.dilate(mask.astype(np.uint8), np.ones((pixels, pixels), np.uint8)) > 0)


def _apart(lab: NDArray[np.float32], one: NDArray[np.bool_], other: NDArray[np.bool_]) -> float:
    """The distance of two areas' median colours; lightness counts half, for shadows."""
    difference = np.median(lab[one], axis=0) - np.median(lab[other], axis=0)
    return float(np.linalg.norm(difference * (0.5, 1, 1)))


def _opening(points: NDArray[np.float32], eye: int) -> float:
    upper, lower = points[list(lm.EYE_UPPER[eye])], points[list(lm.EYE_LOWER[eye])]
    return float((lower[3:6, 1] - upper[3:6, 1]).mean() / np.linalg.norm(upper[-1] - upper[0]))
