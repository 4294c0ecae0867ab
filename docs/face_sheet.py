"""A labelled sheet of what an avatar's face can show, to be looked at: visemes, tones, lids, gaze, head turns.

    python docs/face_sheet.py AVATAR SHEET.jpg [--size 220] [--of 768] [--mouths]

AVATAR is a shipped avatar's name, or a folder with portrait.png and rig.npz. Pictures are drawn at --of pixels and cut
to the head; --mouths cuts the visemes to the mouth. A viseme is shown as speech shows it, held between two pauses; a
tone as an answer of full intensity shows it a while after it began, without a word's stress and without a blink.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from core.kinds import Tone
from core.settings import HOME
from worker.engines.video.base import Canvas, as_rgb
from worker.engines.video.puppet.drawing.painter import Painter
from worker.engines.video.puppet.manner.bearing import NARROWED, Bearing
from worker.engines.video.puppet.manner.tones import LOOKS
from worker.engines.video.puppet.mouth.articulation import LEAD, Articulation
from worker.engines.video.puppet.mouth.visemes import ARTICULATORS, VISEMES, Segment
from worker.engines.video.puppet.pose import NEUTRAL, Pose, pose
from worker.faces.rig import Rig, load

Picture = NDArray[np.uint8]
COLUMNS = 10
LABEL = 22
"""Pixels above each picture, for its name."""
MOMENT = 40
"""The frame of an answer, of 25 a second, in which its tone is shown."""


def rows() -> Iterator[tuple[str, Pose]]:
    """Name and pose of every picture, in order."""
    for name in VISEMES:
        yield name, spoken(name)
    for tone in Tone:
        yield tone.value, toned(tone)
    yield "brows up", pose(brow=1.0)
    yield "brows knit", pose(knit=1.0)
    for lids in (0.0, 0.25, 0.5, 0.75, 1.0):
        yield f"lids {lids:g}", pose(lids=lids)
    for right, down in ((-12.0, 0.0), (12.0, 0.0), (0.0, -8.0), (0.0, 8.0)):
        yield f"gaze {right:g} {down:g}", replace(NEUTRAL, gaze=(right, down))
    for angle in (-8.0, 8.0):
        yield f"yaw {angle:g}", replace(NEUTRAL, yaw=angle)
    for angle in (-5.0, 5.0):
        yield f"pitch {angle:g}", replace(NEUTRAL, pitch=angle)
        yield f"roll {angle:g}", replace(NEUTRAL, roll=angle)
    yield "breathed in", replace(NEUTRAL, breath=1.0)
    yield "all at once", replace(pose(jaw=0.6, smile=0.6, brow=0.6, lids=0.4), yaw=6.0, pitch=3.0, roll=3.0)


def spoken(viseme: str) -> Pose:
    """The middle of a long sound; of a short one where lips shut, as they open again before its end."""
    end = 0.6 if VISEMES[viseme].closed else 0.8
    articulation = Articulation()
    pause = VISEMES["rest"]
    articulation.add([Segment(pause, 0.0, 0.5), Segment(VISEMES[viseme], 0.5, end), Segment(pause, end, 1.5)])
    shape = articulation.at((0.5 + end) / 2 - LEAD, 1 / 25)
    return pose(**dict(zip(ARTICULATORS, shape.tolist(), strict=True)))


def toned(tone: Tone) -> Pose:
    """Of the head's posture only the tone's own tilt is kept."""
    bearing = Bearing("sheet", tone, 1.0)
    bearing.phrase(0.0)
    for frame in range(MOMENT + 1):
        shown = bearing.at(frame / 25, 1.0)
    return replace(pose(**shown.muscles, lids=NARROWED * shown.muscles["cheek"]), roll=LOOKS[tone].lean)


def sheet(painter: Painter, box: tuple[slice, slice], mouth: tuple[slice, slice], size: int) -> Picture:
    cells = []
    for name, shown in rows():
        picture = as_rgb(painter.draw(shown))
        cells.append(_cell(name, picture[mouth if name in VISEMES else box], size))
    cells += [np.full_like(cells[0], 255)] * (-len(cells) % COLUMNS)
    lines = [np.hstack(cells[first : first + COLUMNS]) for first in range(0, len(cells), COLUMNS)]
    return np.vstack(lines)


def _cell(name: str, picture: Picture, size: int) -> Picture:
    cell = np.full((size + LABEL, size, 3), 255, np.uint8)
    cell[LABEL:] = cv2.resize(picture, (size, size), interpolation=cv2.INTER_AREA)
    cv2.putText(cell, name, (4, LABEL - 7), cv2.FONT_HERSHEY_SIMPLEX, 0.45, (0, 0, 0), 1, cv2.LINE_AA)
    return cell


def _mouth(rig: Rig, side: int) -> tuple[slice, slice]:
    """A square, four half widths of the mouth wide."""
    x, y = rig.seam.mean(axis=0)
    return _square(rig, side, x, y, 2 * rig.mouth_half)


def _head(rig: Rig, side: int) -> tuple[slice, slice]:
    return _square(
        rig, side, float(rig.cheeks.mean()), float(rig.chin + rig.forehead) / 2, 0.75 * float(rig.chin - rig.forehead)
    )


def _square(rig: Rig, side: int, x: float, y: float, reach: float) -> tuple[slice, slice]:
    """About x, y of the portrait, in pixels of the picture."""
    scale = side / int(rig.size[0])
    ends = [(max(round((middle - reach) * scale), 0), round((middle + reach) * scale)) for middle in (y, x)]
    return slice(*ends[0]), slice(*ends[1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("avatar")
    parser.add_argument("picture", type=Path)
    parser.add_argument("--size", type=int, default=220)
    parser.add_argument("--of", type=int, default=768)
    parser.add_argument("--mouths", action="store_true")
    options = parser.parse_args()
    shipped, given = HOME / "avatars" / options.avatar, Path(options.avatar)
    folder = shipped if shipped.is_dir() else given
    rig, side = load(folder / "rig.npz"), options.of
    portrait = np.asarray(cv2.imread(str(folder / "portrait.png")), np.uint8)[..., ::-1].copy()
    box = _head(rig, side)
    mouth = _mouth(rig, side) if options.mouths else box
    picture = sheet(Painter(rig, portrait, Canvas(side, side)), box, mouth, options.size)
    cv2.imwrite(str(options.picture), cv2.cvtColor(picture, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, 85])


if __name__ == "__main__":
    main()
