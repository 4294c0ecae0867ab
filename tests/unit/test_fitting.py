"""A clip is made to fit its channel."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest

from core.errors import VideoError
from worker.fitting import fit
from worker.media import COMMENT, Mp4Writer

SIDE, FPS, SECONDS, RATE = 256, 25, 3, 24_000


@pytest.fixture
def noisy(tmp_path: Path) -> Path:
    """Noise is the dearest picture that there is."""
    generator = np.random.default_rng(1)
    writer = Mp4Writer(tmp_path / "noisy.mp4", SIDE, SIDE, FPS, RATE)
    for _ in range(SECONDS * FPS):
        writer.add_frame(generator.integers(0, 256, (SIDE, SIDE, 3), np.uint8))
    writer.add_sound(generator.normal(0, 0.1, SECONDS * RATE).astype(np.float32))
    return writer.close().path


def described(path: Path) -> tuple[int, int, int, float, str]:
    with av.open(str(path)) as container:
        frames = sum(1 for _ in container.decode(container.streams.video[0]))
        picture = container.streams.video[0]
        seconds = float(container.streams.audio[0].duration * container.streams.audio[0].time_base)
        return frames, picture.width, picture.height, round(seconds, 1), container.metadata["comment"]


@pytest.mark.parametrize("most", [200_000, 60_000])
def test_a_large_clip_becomes_small(noisy: Path, most: int) -> None:
    assert noisy.stat().st_size > 3 * most
    assert fit(noisy, most) == noisy.stat().st_size <= most
    assert described(noisy) == (SECONDS * FPS, SIDE, SIDE, SECONDS, COMMENT)
    assert list(noisy.parent.iterdir()) == [noisy]


def test_a_small_one_stays_as_it_is(noisy: Path) -> None:
    before = noisy.read_bytes()
    assert fit(noisy, len(before)) == len(before)
    assert noisy.read_bytes() == before


def test_what_can_never_fit_is_said(noisy: Path) -> None:
    with pytest.raises(VideoError, match="do not fit"):
        fit(noisy, 10_000)
