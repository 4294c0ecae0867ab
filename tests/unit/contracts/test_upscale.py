"""What every engine of the upscale layer keeps."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from core.errors import UpscaleError
from worker.engines.upscale.base import UpscaleEngine
from worker.engines.upscale.fake import Fake
from worker.engines.upscale.lanczos import Lanczos
from worker.engines.video.base import Frame

ENGINES: list[type[UpscaleEngine]] = [Fake, Lanczos]


@pytest.fixture(params=ENGINES, ids=lambda engine: engine.name)
def engine(request: pytest.FixtureRequest) -> Iterator[UpscaleEngine]:
    made: UpscaleEngine = request.param()
    made.load()
    yield made
    made.unload()


def gradient(width: int, height: int, shift: int = 0) -> Frame:
    """Red grows to the right, green downwards, blue is `shift`."""
    frame = np.zeros((height, width, 3), np.uint8)
    frame[..., 0] = np.linspace(0, 255, width)
    frame[..., 1] = np.linspace(0, 255, height)[:, None]
    frame[..., 2] = shift
    return frame


@pytest.mark.parametrize(
    ("size", "target"),
    [
        ((64, 64), (128, 128)),
        ((64, 48), (160, 120)),
        ((64, 64), (64, 64)),
        ((128, 128), (64, 64)),
        ((30, 50), (64, 50)),
    ],
)
def test_frames_have_the_wanted_size(engine: UpscaleEngine, size: tuple[int, int], target: tuple[int, int]) -> None:
    frames = list(engine.upscale([gradient(*size, shift) for shift in range(3)], width=target[0], height=target[1]))
    assert [frame.shape for frame in frames] == [(target[1], target[0], 3)] * 3
    assert all(frame.dtype == np.uint8 and frame.flags.c_contiguous for frame in frames)
    assert [int(frame[5, 5, 2]) for frame in frames] == [0, 1, 2]


def test_the_picture_stays_the_same(engine: UpscaleEngine) -> None:
    large = next(engine.upscale([gradient(64, 48)], width=256, height=192))
    assert np.abs(large.astype(int) - gradient(256, 192)).mean() < 3


def test_no_frame_in_no_frame_out(engine: UpscaleEngine) -> None:
    assert list(engine.upscale([], width=64, height=64)) == []


def test_frames_are_taken_one_by_one(engine: UpscaleEngine) -> None:
    taken = 0

    def source() -> Iterator[Frame]:
        nonlocal taken
        while True:
            taken += 1
            yield gradient(32, 32)

    larger = engine.upscale(source(), width=64, height=64)
    for wanted in range(1, 5):
        next(larger)
        assert taken == wanted


@pytest.mark.parametrize(("width", "height"), [(0, 64), (64, -2)])
def test_an_impossible_size_is_an_error(engine: UpscaleEngine, width: int, height: int) -> None:
    with pytest.raises(UpscaleError):
        list(engine.upscale([gradient(32, 32)], width=width, height=height))


def test_load_and_unload_are_idempotent(engine: UpscaleEngine) -> None:
    for _ in range(2):
        engine.unload()
        engine.unload()
        engine.load()
        engine.load()
        assert len(list(engine.upscale([gradient(8, 8)], width=16, height=16))) == 1
