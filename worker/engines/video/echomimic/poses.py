"""What the hands do in a clip: an avatar's own poses, or a shipped motion on its own hands."""

from __future__ import annotations

import math
import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.errors import VideoError
from worker.engines.video.base import Frame
from worker.engines.video.echomimic.gestures import Manner, motions, moved, within
from worker.engines.video.echomimic.hands import drawn
from worker.faces.hands import POINTS

EASE = 14
"""Frames in which the hands come to rest at a clip's end."""
MOST_FRAMES = 20_000
MOST_BYTES = 64 << 20
"""Of an avatar's poses: a quarter of an hour, and what they may take unpacked."""
REACH = (-0.5, 1.5)
"""Where their points may lie: hands leave the picture at times."""
SURE = (0.0, 2.0)
"""What their scores may be; detectors give a little more than 1."""


@dataclass(frozen=True)
class Poses:
    """hands: (n, 2, 21, 2), scores: (n, 2, 21), one for each frame of the clip. Called with frames' numbers it draws
    them, as the sampler asks for them."""

    hands: NDArray[np.float32]
    scores: NDArray[np.float32]
    side: int

    def __len__(self) -> int:
        return len(self.hands)

    def __call__(self, frames: Sequence[int]) -> Frame:
        """(k, side, side, 3)."""
        shown = [drawn(self.hands[frame], self.scores[frame], self.side) for frame in frames]
        return np.stack(shown) if shown else np.zeros((0, self.side, self.side, 3), np.uint8)


def gesturing(hands: NDArray[np.float32], count: int, side: int, manner: Manner, seed: str) -> Poses:
    """`count` frames of the hands (2, 21, 2), which begin and end as they are. seed: chooses among the variants."""
    variants = motions(manner.name)
    motion = variants[zlib.crc32(seed.encode()) % len(variants)] * np.float32(manner.share)
    shown = within(hands, motion)[to_and_fro(len(motion), count)]
    shown *= _at_rest(count)[:, None, None]
    return _sure(moved(hands, shown), side)


def resting(hands: NDArray[np.float32], count: int, side: int) -> Poses:
    """`count` frames that join on to themselves: the last one is followed by the first, which is the hands as they
    are."""
    motion = motions("rest")[0]
    place = np.arange(count) * len(motion) / count
    before, part = place.astype(int), (place % 1)[:, None, None].astype(np.float32)
    between = motion[before] * (1 - part) + motion[(before + 1) % len(motion)] * part
    return _sure(moved(hands, within(hands, between)), side)


def own(path: Path, count: int, side: int) -> Poses:
    """`count` frames of an avatar's own poses, to and fro where they are fewer. Raises VideoError."""
    hands, scores = read_poses(path)
    places = to_and_fro(len(hands), count)
    return Poses(hands[places], scores[places], side)


def to_and_fro(length: int, count: int) -> NDArray[np.int64]:
    """Of 0 … length - 1, `count` places: forwards, backwards and so on, the ends once each."""
    period = max(2 * (length - 1), 1)
    place = np.arange(count) % period
    return np.minimum(place, period - place) if length > 1 else np.zeros(count, np.int64)


def _at_rest(count: int) -> NDArray[np.float32]:
    """(count,) 0–1: 1, and down to 0 at the last frame."""
    left = np.clip((count - 1 - np.arange(count)) / max(min(EASE, count - 1), 1), 0, 1)
    return np.asarray(0.5 - 0.5 * np.cos(math.pi * left), np.float32)


def _sure(hands: NDArray[np.float32], side: int) -> Poses:
    return Poses(hands, np.ones(hands.shape[:3], np.float32), side)


def read_poses(path: Path) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """hands (n, 2, 21, 2), 0–1 of the square, and scores (n, 2, 21). Raises VideoError for a file that is none."""
    try:
        state = path.stat()
        return _read(path, state.st_ino, state.st_mtime_ns, state.st_size)
    except OSError as error:
        raise VideoError(f"{path}: {error.strerror}", refused=True) from error


@lru_cache(maxsize=4)
def _read(path: Path, _inode: int, _written_ns: int, _size: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Read again when the file was replaced."""
    try:
        with zipfile.ZipFile(path) as whole:
            if sum(part.file_size for part in whole.infolist()) > MOST_BYTES:
                raise ValueError("it is too large")
        with np.load(path, allow_pickle=False) as stored:
            hands, scores = stored["hands"], stored["scores"]
        return checked(hands, scores)
    except (ValueError, KeyError, EOFError, MemoryError, zipfile.BadZipFile, zlib.error) as error:
        reason = f"no {error} in it" if isinstance(error, KeyError) else str(error) or type(error).__name__
        raise VideoError(f"{path} holds no poses: {reason}", refused=True) from error


def checked(hands: NDArray[np.generic], scores: NDArray[np.generic]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Both in float32. Raises ValueError for what is no sequence of poses."""
    if hands.dtype.kind != "f" or scores.dtype.kind != "f":
        raise ValueError("hands and scores must be floats")
    if hands.ndim != 4 or hands.shape[1:] != (2, POINTS, 2) or scores.shape != hands.shape[:3]:
        raise ValueError(f"hands must be (n, 2, {POINTS}, 2) and scores (n, 2, {POINTS})")
    if not 1 <= len(hands) <= MOST_FRAMES:
        raise ValueError(f"{len(hands)} frames: between 1 and {MOST_FRAMES:,} are taken")
    if not (np.isfinite(hands).all() and np.isfinite(scores).all()):
        raise ValueError("some of its numbers are not finite")
    for name, values, (low, high) in (("hands", hands, REACH), ("scores", scores, SURE)):
        if values.min() < low or values.max() > high:
            raise ValueError(f"{name} must lie between {low} and {high}")
    return hands.astype(np.float32), scores.astype(np.float32)
