"""A film that joins on to itself: its last frame is followed by its first, and nobody sees where.

Played in a loop, an encoded film betrays itself once a turn: its first picture stands alone, the last was built on a
hundred before it, and both differ from what was drawn in ways of their own. So the last second of the film drifts to
the first picture as a decoder shows it, and the last frame is encoded finely enough to arrive there.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

from core.errors import VideoError
from core.storage import storage_errors
from worker.engines.video.base import Picture, Planes
from worker.engines.video.planes import blank, planes_in, planes_of
from worker.media import Clip, Encoding, Mp4Writer

Plane = NDArray[np.float32]

DRIFT_S = 1.0
CRF = 16
_X264 = "rc-lookahead=0:mbtree=0:bframes=0:scenecut=0:weightp=0:aq-mode=0:threads=1:ipratio=2"
"""As an answer's, with twice the care for the first picture: all others are built on it."""
_FINE = 6
"""The quantiser of the last frame, whose steps are smaller than a grey level."""


def write_looping(path: Path, pictures: Iterable[Picture], frames: int, width: int, height: int, fps: int) -> Clip:
    """An MP4 without sound and with one keyframe, the first; whole or not at all.

    pictures: `frames` of them, (height, width, 3) RGB or planes, the first of which may follow the last. width,
    height: even. Raises VideoError, StorageError.
    """
    with storage_errors():
        path.parent.mkdir(parents=True, exist_ok=True)
    encoding = Encoding("medium", CRF, frames, f"{_X264}:zones={frames - 1},{frames - 1},q={_FINE}")
    writer = Mp4Writer(path, width, height, fps, None, encoding)
    try:
        for picture in _drifting(pictures, path, frames, fps, encoding):
            writer.add_frame(picture)
        return writer.close()
    finally:
        writer.abort()


def _drifting(pictures: Iterable[Picture], path: Path, frames: int, fps: int, encoding: Encoding) -> Iterator[Planes]:
    drift = min(round(DRIFT_S * fps), frames - 1)
    error: list[Plane] = []
    for place, picture in enumerate(pictures):
        planes = picture if isinstance(picture, Planes) else planes_of(picture)
        if place == 0:
            error = _error(planes, path, fps, encoding)
        share = (place - (frames - 1 - drift)) / drift if place else 0
        yield _moved(planes, error, share) if share > 0 else planes


def _error(picture: Planes, path: Path, fps: int, encoding: Encoding) -> list[Plane]:
    """What a decoder shows of the picture, when it is the film's first, less the picture."""
    first = path.with_name(f".{path.name}.{os.getpid()}-{threading.get_ident()}.first")
    writer = Mp4Writer(first, picture.y.shape[1], picture.y.shape[0], fps, None, encoding)
    try:
        writer.add_frame(picture)
        writer.close()
        with av.open(str(first)) as container:
            shown = planes_in(next(container.decode(video=0)))
        pairs = zip(_parts(shown), _parts(picture), strict=True)
        return [one.astype(np.float32) - other for one, other in pairs]
    except (OSError, av.FFmpegError, StopIteration) as error:
        raise VideoError(f"{first}: {error}") from error
    finally:
        writer.abort()
        first.unlink(missing_ok=True)


def _moved(picture: Planes, error: list[Plane], share: float) -> Planes:
    moved = blank(picture.y.shape[1], picture.y.shape[0])
    for target, plane, wrong in zip(_parts(moved), _parts(picture), error, strict=True):
        target[:] = np.clip(np.rint(plane + share * wrong), 0, 255)
    return moved


def _parts(planes: Planes) -> tuple[NDArray[np.uint8], ...]:
    return planes.y, planes.u, planes.v
