"""A rig from one photo: the face's own skin, moved as a measured face (`worker.faces.donor`) was seen to move.

An added photo becomes one, and so does a folder without frames by `smarttalker avatar rig <id>`.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from core.errors import StorageError
from worker.faces import landmarks as lm
from worker.faces import lids, mouth, muscles, spectacles
from worker.faces.build import TONGUE, assembled, read_picture
from worker.faces.donor import Donor, nearest
from worker.faces.light import eye_white
from worker.faces.rig import Rig
from worker.faces.shutting import shut_eyes

Image = NDArray[np.uint8]


@dataclass(frozen=True)
class Smile:
    """What a photo whose mouth was closed afterwards tells. seam: (n, 2), where its lips meet now. teeth: (left, top)
    and premultiplied RGBA of the upper ones, where it showed them well."""

    seam: lm.Points
    teeth: tuple[NDArray[np.int32], Image] | None


GAIN = (0.55, 1.1)
"""How much darker or brighter than the donor's the teeth may become."""
TINT = (0.85, 1.12)
"""How far one colour of them may leave the mean of the three."""

GREY = 4.0
"""The mean distance of red and blue, of 255, below which a face has no colour; pale skin has 40."""


def build_alone(folder: Path, donors: Path) -> None:
    """Writes folder/rig.npz from folder/portrait.png; donors: the folder of avatars with frames.

    Raises VideoError where the portrait is missing or shows no face, ModelMissing without mediapipe, StorageError.
    """
    rest = read_picture(folder / "portrait.png")
    seen = lm.detect(rest)
    try:
        rig_of(rest, seen, nearest(donors, seen.points)).save(folder / "rig.npz")
    except OSError as error:
        raise StorageError(f"{folder / 'rig.npz'}: {error.strerror}") from error


def rig_of(rest: Image, seen: lm.Seen, donor: Donor, smile: Smile | None = None) -> Rig:
    """rest: (h, w, 3) RGB, a frontal face with its mouth closed; seen: what the models see of it; smile: if it was
    closed by `worker.faces.closing`."""
    closed = muscles.Mouth(mouth.seam(rest, seen.points) if smile is None else smile.seam)
    points = mouth.settled(seen.points, closed.seam)
    face = muscles.Face(points, closed, donor.opened * closed.half, donor.bared * closed.half)
    eyes = _eyes(rest, points, donor)
    light = _light(eye_white(rest, points), donor.white)
    at, upper, lower = _teeth(donor, closed, light)
    tongue = np.asarray(TONGUE, np.float32) * light
    if _is_grey(rest, points):
        upper, lower = _without_colour(upper), _without_colour(lower)
        tongue = np.full(3, tongue.mean(), np.float32)
    plates = (at, upper, lower)
    if smile is not None and smile.teeth is not None:
        plates = _joined(at, lower, *smile.teeth)
    return assembled(rest, face, plates, eyes, tongue, seen)


def _eyes(rest: Image, points: lm.Points, donor: Donor) -> lids.Atlas:
    """The lids; what lies before the eyes stays in place."""
    frame = spectacles.before(rest, points)
    bare = spectacles.without(rest, frame)
    shut, shut_at = shut_eyes(bare, points, donor.lids)
    return spectacles.kept(lids.atlas(bare, shut, points, shut_at), rest, frame)


def _joined(
    lower_at: NDArray[np.int32], lower: Image, upper_at: NDArray[np.int32], upper: Image
) -> tuple[NDArray[np.int32], Image, Image]:
    """Both plates on one area."""
    places, sizes = np.stack([upper_at, lower_at]), np.array([upper.shape[1::-1], lower.shape[1::-1]])
    at = places.min(axis=0)
    width, height = (places + sizes).max(axis=0) - at
    result = np.zeros((2, height, width, 4), np.uint8)
    for plate, (left, top), picture in zip(result, places - at, (upper, lower), strict=True):
        plate[top : top + picture.shape[0], left : left + picture.shape[1]] = picture
    return at.astype(np.int32), result[0], result[1]


def _is_grey(rest: Image, points: lm.Points) -> bool:
    """Whether the face is a black and white photo's."""
    (left, top), (right, bottom) = points.min(axis=0).astype(int), points.max(axis=0).astype(int)
    face = rest[max(top, 0) : bottom, max(left, 0) : right].astype(int)
    return bool(np.abs(face[..., 0] - face[..., 2]).mean() < GREY)


def _without_colour(plate: Image) -> Image:
    light = plate[..., :3].mean(axis=2, keepdims=True).astype(np.uint8)
    return np.concatenate([np.repeat(light, 3, axis=2), plate[..., 3:]], axis=2)


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
