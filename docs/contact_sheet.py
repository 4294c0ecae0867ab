"""A strip of frames out of a clip, to be looked at.

    python docs/contact_sheet.py CLIP.mp4 SHEET.jpg [--columns 8] [--rows 2] [--every 0.2] [--start 0.4] [--width 200]

Frames are cut to the middle three quarters, where the face is.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

import av
import cv2
import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]


def frames(clip: Path, start: float, every: float) -> Iterator[Picture]:
    """(h, w, 3) RGB, one each `every` seconds from `start` on."""
    due = start
    with av.open(str(clip)) as container:
        for frame in container.decode(video=0):
            if frame.time is not None and frame.time >= due - 1e-6:
                due += every
                yield frame.to_ndarray(format="rgb24")


def sheet(pictures: list[Picture], columns: int, width: int) -> Picture:
    """Row by row, each picture cut and scaled to `width` pixels."""
    cells = [_cell(picture, width) for picture in pictures]
    cells += [np.full_like(cells[0], 255)] * (-len(cells) % columns)
    rows = [np.hstack(cells[first : first + columns]) for first in range(0, len(cells), columns)]
    return np.vstack(rows)


def _cell(picture: Picture, width: int) -> Picture:
    side = picture.shape[0]
    cut = picture[side // 16 : side // 16 + side * 3 // 4, side // 8 : side // 8 + side * 3 // 4]
    return cv2.resize(cut, (width, width), interpolation=cv2.INTER_AREA).astype(np.uint8)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clip", type=Path)
    parser.add_argument("picture", type=Path)
    parser.add_argument("--columns", type=int, default=8)
    parser.add_argument("--rows", type=int, default=2)
    parser.add_argument("--every", type=float, default=0.2)
    parser.add_argument("--start", type=float, default=0.4)
    parser.add_argument("--width", type=int, default=200)
    options = parser.parse_args()
    wanted = options.columns * options.rows
    shown = [
        picture for picture, _ in zip(frames(options.clip, options.start, options.every), range(wanted), strict=False)
    ]
    picture = sheet(shown, options.columns, options.width)
    cv2.imwrite(str(options.picture), cv2.cvtColor(picture, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, 85])


if __name__ == "__main__":
    main()
