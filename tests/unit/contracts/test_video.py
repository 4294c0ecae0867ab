"""What every engine of the video layer keeps."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from core.catalogue import Avatar, Catalogue
from core.kinds import Tone
from worker.engines.tts.base import Phoneme, Speech
from worker.engines.video.base import Canvas, VideoEngine, as_rgb
from worker.engines.video.fake import Fake
from worker.engines.video.puppet import Puppet

ROOT = Path(__file__).parents[3]
RATE = 16_000
SMALL = Canvas(96, 96, 25)
ENGINES: list[type[VideoEngine]] = [Fake, Puppet]


@pytest.fixture(scope="module", params=ENGINES, ids=lambda engine: engine.name)
def engine(request: pytest.FixtureRequest) -> Iterator[VideoEngine]:
    """One for all tests: whatever it drew before leaves no trace."""
    made: VideoEngine = request.param()
    made.load()
    yield made
    made.unload()


@pytest.fixture(scope="module")
def avatar() -> Avatar:
    return Catalogue(ROOT).avatar("layla")


def speech(seconds: float, *, phonemes: bool = True) -> Speech:
    """A hum with a phoneme each tenth of a second."""
    count = round(seconds * RATE)
    samples = (0.3 * np.sin(2 * np.pi * 150 * np.arange(count) / RATE)).astype(np.float32)
    marks = [
        Phoneme(ipa, 0.1 * place, min(0.1 * (place + 1), seconds))
        for place, ipa in zip(range(math.ceil(seconds * 10)), "mabˈiːfus" * 100, strict=False)
    ]
    return Speech(samples, RATE, tuple(marks) if phonemes else None)


@pytest.mark.parametrize(
    ("pieces", "frames"),
    [
        ([], 1),
        ([0.0], 1),
        ([0.001], 1),
        ([0.04], 1),
        ([0.041], 2),
        ([1.0], 25),
        ([0.5, 0.0, 0.51], 26),  # 1.01 s x 25 = 25.25
        ([0.333, 0.333, 0.333], 25),  # 0.999 s x 25 = 24.975
    ],
)
@pytest.mark.parametrize("phonemes", [True, False])
def test_a_frame_for_each_started_25th(
    engine: VideoEngine, avatar: Avatar, pieces: list[float], frames: int, phonemes: bool
) -> None:
    said = [speech(seconds, phonemes=phonemes) for seconds in pieces]
    assert len(list(engine.frames(said, avatar=avatar, canvas=SMALL))) == frames


@pytest.mark.parametrize("canvas", [Canvas(96, 96, 25), Canvas(128, 128, 30), Canvas(90, 160, 24), Canvas(160, 90, 25)])
def test_frames_are_of_the_promised_size(engine: VideoEngine, avatar: Avatar, canvas: Canvas) -> None:
    width, height = engine.size(canvas)
    count = 0
    for picture in engine.frames([speech(0.5)], avatar=avatar, canvas=canvas):
        frame = as_rgb(picture)
        assert frame.shape == (height, width, 3)
        assert frame.dtype == np.uint8
        assert frame.flags.c_contiguous
        count += 1
    assert count == math.ceil(0.5 * canvas.fps)


@pytest.mark.parametrize("tone", list(Tone))
def test_it_starts_and_ends_neutral(engine: VideoEngine, avatar: Avatar, tone: Tone) -> None:
    neutral = as_rgb(next(engine.frames([], avatar=avatar, canvas=SMALL))).copy()
    frames = [
        as_rgb(frame).copy()
        for frame in engine.frames([speech(1.6)], avatar=avatar, canvas=SMALL, tone=tone, intensity=1)
    ]
    np.testing.assert_array_equal(frames[0], neutral)
    np.testing.assert_array_equal(frames[-1], neutral)
    assert any(np.abs(frame.astype(int) - neutral).max() > 20 for frame in frames)


def test_frames_come_while_the_speech_still_does(engine: VideoEngine, avatar: Avatar) -> None:
    """After two seconds of speech a second of video is there at least; never more than is known."""
    given = 0.0

    def speaking() -> Iterator[Speech]:
        nonlocal given
        for _ in range(8):
            given += 1
            yield speech(1)

    drawn = 0
    for _ in engine.frames(speaking(), avatar=avatar, canvas=SMALL):
        drawn += 1
        assert drawn / SMALL.fps <= given
        assert given <= drawn / SMALL.fps + 2
    assert drawn == 200


def test_closing_stops_and_the_engine_goes_on(engine: VideoEngine, avatar: Avatar) -> None:
    asked = 0

    def endless() -> Iterator[Speech]:
        nonlocal asked
        while True:
            asked += 1
            yield speech(1)

    frames = engine.frames(endless(), avatar=avatar, canvas=SMALL)
    next(frames)
    frames.close()  # type: ignore[attr-defined]
    with pytest.raises(StopIteration):
        next(frames)
    assert asked <= 2
    assert len(list(engine.frames([speech(0.2)], avatar=avatar, canvas=SMALL))) == 5


def test_the_same_speech_gives_the_same_frames(engine: VideoEngine, avatar: Avatar) -> None:
    runs = [
        [as_rgb(frame).copy() for frame in engine.frames([speech(0.8)], avatar=avatar, canvas=SMALL, tone=Tone.LIVELY)]
        for _ in range(2)
    ]
    np.testing.assert_array_equal(runs[0], runs[1])


def test_two_clips_may_be_drawn_in_turns(engine: VideoEngine, avatar: Avatar) -> None:
    """A clip's frames do not depend on what else the engine draws."""
    alone = [as_rgb(frame).copy() for frame in engine.frames([speech(1.5)], avatar=avatar, canvas=SMALL)]
    other = engine.frames([speech(1.5, phonemes=False)], avatar=avatar, canvas=SMALL)
    beside = []
    for frame in engine.frames([speech(1.5)], avatar=avatar, canvas=SMALL):
        beside.append(as_rgb(frame).copy())
        next(other, None)
    np.testing.assert_array_equal(alone, beside)


def test_load_and_unload_are_idempotent(engine: VideoEngine, avatar: Avatar) -> None:
    for _ in range(2):
        engine.unload()
        engine.unload()
        engine.load()
        engine.load()
        assert len(list(engine.frames([speech(0.2)], avatar=avatar, canvas=SMALL))) == 5


def test_it_says_what_it_is_and_needs(engine: VideoEngine) -> None:
    assert engine.name == engine.name.lower()
    assert engine.needs.gpu_mb == 0
    assert not engine.needs.weights
