"""Sizes of frames, and resizing without a network."""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterable, Iterator
from itertools import groupby

import cv2
import numpy as np

from core.errors import UpscaleError
from worker.engines.video.base import Frame

SPARE = 2.0
"""A network's output is at most so many times as wide and as high as what is wanted of it: finer than that, averaging
takes it away again."""


def check_size(width: int, height: int) -> None:
    """Raises UpscaleError."""
    if width <= 0 or height <= 0:
        raise UpscaleError(f"no frame can be {width}x{height}")


def is_large_enough(frame: Frame, width: int, height: int) -> bool:
    return bool(frame.shape[0] >= height and frame.shape[1] >= width)


def resized(frame: Frame, width: int, height: int) -> Frame:
    """By averaging where it shrinks, else by Lanczos's filter of order 4. Never the frame itself, which may be drawn
    over."""
    if frame.shape[:2] == (height, width):
        return frame.copy()
    mode = cv2.INTER_AREA if is_large_enough(frame, width, height) else cv2.INTER_LANCZOS4
    return cv2.resize(frame, (width, height), interpolation=mode).astype(np.uint8, copy=False)


def working(size: int, wanted: int, scale: int) -> int:
    """Of `size` pixels in one direction, as many as the network is given that enlarges by `scale`."""
    return min(size, math.ceil(wanted * SPARE / scale))


def batches(frames: Iterable[Frame], count: int) -> Iterator[list[Frame]]:
    """Frames of one shape together, in order, at most `count`; of `count` 1 none is taken ahead. They are copies where
    more than one is held."""
    if count == 1:
        yield from ([frame] for frame in frames)
        return
    for _, alike in groupby(frames, key=_shape):
        held: list[Frame] = []
        for frame in alike:
            held.append(frame.copy())
            if len(held) == count:
                yield held
                held = []
        if held:
            yield held


def _shape(frame: Frame) -> Hashable:
    return frame.shape
