"""The process that makes an avatar's portrait and rig, started by `worker.adding.avatar`:
`python -m worker.adding.rigging PHOTO FOLDER DONORS`.

It limits its own memory, time and file size before it opens the photo, and knows neither settings nor secrets. It
writes portrait.png and rig.npz into FOLDER, and half.png where the photo shows half a body with both hands; an
empty FOLDER argument only checks, and it prints one JSON object: {"width", "yaw", "pitch", "roll"} of the face or
{"reason"}. DONORS is the folder of avatars with frames.
"""

from __future__ import annotations

import json
import sys
from contextlib import suppress
from pathlib import Path

import cv2
import numpy as np

from core.errors import VideoError
from worker.adding import checks, half
from worker.adding.picture import Image, open_photo
from worker.adding.portrait import portrait, upright
from worker.adding.refused import Refused
from worker.confined import confine
from worker.faces import landmarks as lm
from worker.faces import mesh as meshes
from worker.faces.closing import closed, parting
from worker.faces.donor import Donor, nearest
from worker.faces.half import has_room
from worker.faces.single import Smile, rig_of
from worker.faces.teeth import upper_row

SEEN = 1600
"""The photo's longer side where faces are sought; the detectors look at 192 pixels of it at most."""
ROOM = 4.2
"""How much of the photo about the face is kept, in widths of the face: more than a portrait shows."""
KEPT = 700
"""The face's width in pixels from which the photo is made smaller."""


def make(photo: Path, folder: Path | None, donors: Path) -> dict[str, float]:
    """Raises Refused, VideoError where no donor is there, OSError where the folder can't be written."""
    rgb = open_photo(photo)
    rgb, mesh = _face(rgb)
    yaw, pitch, roll = checks.angles(mesh)
    facts = {"width": checks.width_of(mesh), "yaw": yaw, "pitch": pitch, "roll": roll}
    picture = portrait(*upright(*_near(rgb, mesh), roll))
    found = meshes.mesh(picture)
    if found is None:
        raise Refused("no_face")
    checks.check_look(picture, found)
    if folder is not None:
        _write(picture, found, folder, donors)
        _write_half(rgb, mesh, folder)
    return {name: round(value, 1) for name, value in facts.items()}


def _face(rgb: Image) -> tuple[Image, checks.Mesh]:
    """The photo and the mesh of its one face, which lies well. Raises Refused."""
    scale = min(SEEN / max(rgb.shape[:2]), 1.0)
    small = cv2.resize(rgb, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA) if scale < 1 else rgb
    face = checks.one_face(meshes.faces(small.astype(np.uint8)))
    box = (face.left / scale, face.top / scale, face.width / scale, face.height / scale)
    mesh = meshes.mesh(rgb, meshes.Found(*box, face.score))
    if mesh is None:
        raise Refused("no_face")
    checks.check_place(mesh, rgb.shape[1], rgb.shape[0])
    return rgb, mesh


def _near(rgb: Image, mesh: checks.Mesh) -> tuple[Image, checks.Mesh]:
    """The part about the face, made smaller where it is larger than a portrait needs."""
    wide, middle = checks.width_of(mesh), mesh[:, :2].mean(axis=0)
    low = np.maximum(middle - ROOM / 2 * wide, 0).astype(int)
    high = np.minimum(middle + ROOM / 2 * wide, rgb.shape[1::-1]).astype(int)
    part, moved = rgb[low[1] : high[1], low[0] : high[0]], mesh - np.array([*low, 0], np.float32)
    scale = min(KEPT / wide, 1.0)
    if scale == 1:
        return np.ascontiguousarray(part), moved
    return cv2.resize(part, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA).astype(np.uint8), moved * scale


def _write(picture: Image, mesh: checks.Mesh, folder: Path, donors: Path) -> None:
    person, donor = meshes.person(picture), nearest(donors, mesh[: lm.COUNT, :2])
    smile = None
    if parting(mesh[: lm.COUNT]) > checks.MOUTH_CLOSED:
        picture, mesh, smile = _closed(picture, mesh, donor)
    rig = rig_of(picture, lm.Seen(mesh, person), donor, smile)
    if not cv2.imwrite(str(folder / "portrait.png"), cv2.cvtColor(picture, cv2.COLOR_RGB2BGR)):
        raise OSError("portrait.png")
    rig.save(folder / "rig.npz")


def _write_half(rgb: Image, mesh: checks.Mesh, folder: Path) -> None:
    """Where the photo shows as much; it need not."""
    if has_room(mesh, rgb.shape[1], rgb.shape[0]):
        with suppress(Refused):
            half.write(folder / half.FILE, half.squared(rgb))


def _closed(picture: Image, mesh: checks.Mesh, donor: Donor) -> tuple[Image, checks.Mesh, Smile]:
    """The portrait with its mouth closed, the mesh moved with it, and what the photo told of the smile."""
    points = mesh[: lm.COUNT, :2]
    found = closed(picture, points, donor)
    places = np.concatenate([found.points, mesh[lm.COUNT :, :2]])
    half = float(found.seam[-1, 0] - found.seam[0, 0]) / 2
    moved = np.column_stack([places, mesh[:, 2]]).astype(np.float32)
    return found.picture, moved, Smile(found.seam, upper_row(picture, points, half))


def answer(photo: str, folder: str, donors: str) -> dict[str, object]:
    """What is printed."""
    try:
        return dict(make(Path(photo), Path(folder) if folder else None, Path(donors)))
    except Refused as refused:
        return {"reason": refused.reason}
    except ImportError:
        return {"reason": "no_model"}
    except MemoryError:
        return {"reason": "too_large"}
    except VideoError as error:
        return {"failed": str(error)}
    except OSError:
        return {"failed": "storage"}


def main(photo: str, folder: str, donors: str) -> int:
    confine()
    cv2.setNumThreads(1)
    print(json.dumps(answer(photo, folder, donors)))
    return 0


if __name__ == "__main__":
    raise SystemExit(main(*sys.argv[1:]))
