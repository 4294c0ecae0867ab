"""Which frames the denoiser sees together."""

from __future__ import annotations

from collections.abc import Sequence

SHIFT = 3
"""So many frames further than in the step before each window begins, so that no seam stays where it is
(EchoMimicV2, pipeline_echomimicv2.py)."""


def windows(frames: int, step: int, window: int, overlap: int) -> list[tuple[int, ...]]:
    """The windows of step 0, 1, …, in order: they cover a clip of `frames` as if its end joined its beginning, each as
    long as the others and no frame twice in one. A clip no longer than a window is one window.

    The order is that in which the denoiser sees the frames. After upstream's `uniform` (src/pipelines/context.py) with
    a stride of 1. Raises ValueError for an overlap that leaves nothing new.
    """
    if frames < 1 or not 0 <= overlap < window:
        raise ValueError(f"no windows of {window} frames with {overlap} in common cover {frames} frames")
    starts: Sequence[int] = (0,) if frames <= window else range(0, frames, window - overlap)
    length = min(frames, window)
    return [tuple((start + at + SHIFT * step) % frames for at in range(length)) for start in starts]


def counts(frames: int, seen: Sequence[Sequence[int]]) -> list[int]:
    """In how many of the windows each frame is."""
    found = [0] * frames
    for each in seen:
        for frame in each:
            found[frame] += 1
    return found
