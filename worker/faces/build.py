"""`smarttalker avatar rig <id>`: measures a portrait and leaves `rig.npz` beside it.

The folder holds `portrait.png` and, in `frames/`, the same face with the mouth open (`aa`), with the teeth bared
(`teeth`) and with the eyes shut (`blink`), as lossless WebP or PNG; a smaller frame covers the portrait from the
place that `frames/box.npy` names. `frames/landmarks.npz` keeps what the landmark model found, so that a rig can be
built again without it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from core.errors import StorageError, VideoError
from worker.faces import head, lids, matte, mouth, muscles
from worker.faces import landmarks as lm
from worker.faces.eyes import following, irises
from worker.faces.light import as_enamel, eye_white
from worker.faces.opening import refined
from worker.faces.rig import Rig
from worker.faces.teeth import plates

Image = NDArray[np.uint8]

FRAMES = ("aa", "teeth", "blink")
SPACING = 8.0
"""Pixels of a 1024-pixel portrait between the grid's nodes: a third of a lip."""

TONGUE = (150.0, 74.0, 70.0)


def build_rig(folder: Path) -> None:
    """Writes folder/rig.npz.

    Raises VideoError where a picture is missing or shows no face, ModelMissing where landmarks must be found anew
    and mediapipe is not installed, StorageError where the rig can't be written.
    """
    rest = read_picture(folder / "portrait.png")
    frames = {name: read_frame(folder / "frames", name, rest) for name in FRAMES}
    points, seen = _landmarks(folder / "frames", {"rest": rest, **frames})
    try:
        _measure(rest, frames, points, seen).save(folder / "rig.npz")
    except OSError as error:
        raise StorageError(f"{folder / 'rig.npz'}: {error.strerror}") from error


def read_picture(path: Path) -> Image:
    """(h, w, 3) RGB. Raises VideoError."""
    picture = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if picture is None:
        raise VideoError(f"{path} is missing or is not a picture")
    return cv2.cvtColor(picture, cv2.COLOR_BGR2RGB).astype(np.uint8)


def read_frame(folder: Path, name: str, rest: Image) -> Image:
    """A frame of the portrait's size; a smaller one is pasted into the portrait."""
    found = [folder / f"{name}.{suffix}" for suffix in ("webp", "png") if (folder / f"{name}.{suffix}").is_file()]
    if not found:
        raise VideoError(f"{folder / name}.webp is missing: the same face is needed as {', '.join(FRAMES)}")
    picture = read_picture(found[0])
    if picture.shape == rest.shape:
        return picture
    left, top = np.load(folder / "box.npy", allow_pickle=False)
    whole = rest.copy()
    whole[top : top + picture.shape[0], left : left + picture.shape[1]] = picture
    return whole


def _landmarks(folder: Path, frames: dict[str, Image]) -> tuple[dict[str, lm.Points], lm.Seen]:
    """Each frame's points, and what is seen of the one at rest."""
    path = folder / "landmarks.npz"
    if not path.is_file():
        found = {name: lm.detect(frame) for name, frame in frames.items()}
        stored: dict[str, Any] = {name: seen.points for name, seen in found.items()}
        stored |= {"mesh": found["rest"].mesh, "person": found["rest"].person.astype(np.float16)}
        np.savez_compressed(path, **stored)
    known = lm.read(path)
    return known, lm.Seen(known.pop("mesh"), known.pop("person"))


def _measure(rest: Image, frames: dict[str, Image], points: dict[str, lm.Points], seen: lm.Seen) -> Rig:
    closed = muscles.Mouth(mouth.seam(rest, points["rest"]))
    neutral = mouth.settled(points["rest"], closed.seam)
    opened, bared = (refined(frames[name], points[name]) for name in ("aa", "teeth"))
    bared = lm.symmetric(neutral, neutral + lm.symmetric(neutral, bared))
    face = muscles.Face(neutral, closed, lm.symmetric(neutral, opened), bared)
    at, upper, lower = plates(frames["teeth"], points["teeth"], closed.half)
    white = eye_white(rest, points["rest"])
    teeth = (at, as_enamel(upper, upper, white), as_enamel(lower, upper, white))
    eyes = lids.atlas(rest, frames["blink"], neutral, lids.along_lashes(frames["blink"], points["blink"]))
    return assembled(rest, face, teeth, eyes, np.array(TONGUE, np.float32), seen)


def assembled(
    rest: Image,
    face: muscles.Face,
    teeth: tuple[NDArray[np.int32], Image, Image],
    eyes: lids.Atlas,
    tongue: NDArray[np.float32],
    seen: lm.Seen,
) -> Rig:
    """teeth: as `teeth.plates` gives them; tongue: RGB."""
    nodes = _nodes(face.rest)
    alpha = matte.refined(rest, seen.person, seen.points)
    pose = head.measured((rest.shape[1], rest.shape[0]), seen.mesh, alpha)
    upper, lower = muscles.fields(face, nodes)
    iris = irises(seen.mesh)
    return Rig(
        size=np.array(rest.shape[1::-1], np.int32),
        origin=nodes[0, 0],
        spacing=np.asarray(nodes[0, 1, 0] - nodes[0, 0, 0]),
        upper=upper,
        lower=lower,
        seam=face.mouth.seam,
        teeth_at=teeth[0],
        teeth_upper=teeth[1],
        teeth_lower=teeth[2],
        teeth_jaw=np.array(0.15 * face.mouth.half, np.float32),
        jaw_travel=np.array(0.8 * face.move("jaw")[14, 1], np.float32),
        tongue=tongue.astype(np.float32),
        flesh=mouth.flesh(rest, face.rest),
        lids_at=eyes.at,
        lids=eyes.pictures,
        iris=iris,
        gaze=following(eyes, iris),
        alpha=alpha,
        head_spacing=np.array(pose.spacing, np.float32),
        depth=pose.depth,
        follow=pose.follow,
        breath=pose.breath,
        pivot=pose.pivot,
        chin=np.asarray(face.rest[lm.CHIN, 1]),
        forehead=np.asarray(face.rest[lm.FOREHEAD, 1]),
        cheeks=face.rest[list(lm.CHEEKS), 0],
    )


def _nodes(rest: lm.Points) -> NDArray[np.float32]:
    """A grid from above the brows to well below the chin, (rows, columns, 2) in pixels."""
    wide = float(rest[lm.CHEEKS[1], 0] - rest[lm.CHEEKS[0], 0])
    spacing = SPACING * wide / 330
    left, right = rest[lm.CHEEKS[0], 0] - 0.25 * wide, rest[lm.CHEEKS[1], 0] + 0.25 * wide
    top, bottom = rest[lm.FOREHEAD, 1] - 0.1 * wide, rest[lm.CHIN, 1] + 0.5 * wide
    x, y = np.arange(left, right, spacing), np.arange(top, bottom, spacing)
    return np.stack(np.meshgrid(x, y), axis=-1).astype(np.float32)
