"""What the decoded picture does where nothing should move, and how long picture and sound are."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import av
import cv2
import numpy as np
from numpy.typing import NDArray

Luma = NDArray[np.uint8]
"""(h, w), as decoded: 16 … 235."""

RIM = 8
"""Pixels at the picture's edge that are watched for flicker."""
CERTAIN = 0.1
"""Below this the segmentation sees nobody."""
NEAR = 0.05
"""Of the picture's width: so near to the person a block of the codec holds some of it."""


@dataclass(frozen=True)
class Decoded:
    """rim, background: mean change of grey levels from frame to frame, keyframes and the frames after them left out.
    first: luma of the first frame. picture_s, sound_s: how long either plays."""

    rim: float
    background: float
    first: Luma
    frames: int
    picture_s: float
    sound_s: float


def decoded(clip: Path, person: NDArray[np.float32] | None = None) -> Decoded:
    """person: (h, w), 0–1; without it the background is not watched."""
    rim: list[float] = []
    behind: list[float] = []
    first: Luma | None = None
    count, key_before = 0, True
    with av.open(str(clip)) as container:
        rate = container.streams.video[0].average_rate or 25
        for frame in container.decode(video=0):
            luma = _luma(frame)
            if first is None:
                first, before, edge, empty = luma, luma, _rim(luma), _empty(luma, person)
            elif not (frame.key_frame or key_before):
                change = cv2.absdiff(luma, before)
                rim.append(float(change[edge].mean()))
                behind.extend([float(change[empty].mean())] if empty.any() else [])
            before, key_before, count = luma, bool(frame.key_frame), count + 1
    if first is None:
        raise ValueError(f"{clip} has no frame")
    return Decoded(_mean(rim), _mean(behind), first, count, float(count / rate), _sound_s(clip))


def _mean(values: list[float]) -> float:
    return float(np.mean(values)) if values else 0.0


def lumas(clip: Path) -> Iterator[Luma]:
    """Frame by frame."""
    with av.open(str(clip)) as container:
        for frame in container.decode(video=0):
            yield _luma(frame)


def _luma(frame: av.VideoFrame) -> Luma:
    plane = frame.planes[0]
    rows = np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size)
    return np.asarray(rows[: frame.height, : frame.width].copy(), np.uint8)


def _rim(luma: Luma) -> NDArray[np.bool_]:
    edge = np.ones(luma.shape, bool)
    edge[RIM:-RIM, RIM:-RIM] = False
    return edge


def _empty(luma: Luma, person: NDArray[np.float32] | None) -> NDArray[np.bool_]:
    """Where nobody is, nor near."""
    if person is None:
        return np.zeros(luma.shape, bool)
    reach = 2 * round(NEAR * luma.shape[1]) + 1
    grown = cv2.dilate((person > CERTAIN).astype(np.uint8), np.ones((reach, reach), np.uint8))
    return np.asarray(cv2.resize(grown, luma.shape[::-1], interpolation=cv2.INTER_NEAREST) == 0)


def _sound_s(clip: Path) -> float:
    """Seconds of decoded sound; 0 without a track of it."""
    with av.open(str(clip)) as container:
        if not container.streams.audio:
            return 0.0
        return sum(frame.samples / frame.sample_rate for frame in container.decode(audio=0))
