"""The encoder's thread, and frames that are drawn straight into its planes."""

from __future__ import annotations

import gc
import threading
import weakref
from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from core.errors import VideoError
from worker.encoder import Encoder
from worker.engines.video.base import HELD, Planes, as_rgb
from worker.engines.video.colour import luma_chroma, rgb, split
from worker.engines.video.planes import Ring, planes_of
from worker.media import Mp4Writer

SIZE = (96, 64)


def painting(shade: int) -> NDArray[np.uint8]:
    """A smooth picture, so that the encoder keeps it well."""
    y, x = np.mgrid[: SIZE[1], : SIZE[0]]
    return np.stack([x * 2, y * 3, np.full_like(x, shade)], axis=-1).astype(np.uint8)


def decoded(path: Path) -> list[NDArray[np.uint8]]:
    with av.open(str(path)) as container:
        return [frame.to_ndarray(format="yuv420p") for frame in container.decode(video=0)]


@pytest.mark.parametrize(
    ("colour", "luma", "chroma"),
    [
        ((0, 0, 0), 16, (128, 128)),
        ((255, 255, 255), 235, (128, 128)),
        ((255, 0, 0), 63, (102, 240)),
        ((0, 255, 0), 173, (42, 26)),
        ((0, 0, 255), 32, (240, 118)),
    ],
)
def test_colours_are_those_of_bt_709(colour: tuple[int, int, int], luma: int, chroma: tuple[int, int]) -> None:
    """The usual table of 8-bit limited-range values."""
    picture = np.full((4, 4, 3), colour, np.uint8)
    light, away = split(picture)
    assert np.unique(light).tolist() == [luma]
    assert [np.unique(plane).tolist() for plane in away] == [[chroma[0]], [chroma[1]]]
    back = rgb(light[0], away[0], away[1])
    assert np.abs(back.astype(int) - picture).max() <= 2


def test_luma_and_chroma_are_linear() -> None:
    one, other = painting(10).astype(np.float32), painting(200).astype(np.float32)
    mixed = luma_chroma(one * 0.25 + other * 0.75)
    apart = [a * 0.25 + b * 0.75 for a, b in zip(luma_chroma(one), luma_chroma(other), strict=True)]
    for left, right in zip(mixed, apart, strict=True):
        np.testing.assert_allclose(left, right, atol=1e-3)


def test_planes_are_the_encoders_own_memory(tmp_path: Path) -> None:
    path = tmp_path / "clip.mp4"
    writer = Mp4Writer(path, *SIZE, 25, None)
    planes = planes_of(painting(90))
    planes.y[:32] = 100
    writer.add_frame(planes)
    writer.close()
    seen = decoded(path)[0]
    assert np.abs(seen[:24].astype(int) - 100).max() <= 3
    assert np.abs(seen[40:64].astype(int) - planes.y[40:]).max() <= 6
    np.testing.assert_allclose(as_rgb(planes)[40:].astype(int), painting(90)[40:], atol=4)


def test_rgb_and_planes_make_the_same_clip(tmp_path: Path) -> None:
    clips = []
    for name, convert in (("rgb", lambda picture: picture), ("planes", planes_of)):
        writer = Mp4Writer(tmp_path / name, *SIZE, 25, None)
        for shade in range(0, 200, 20):
            writer.add_frame(convert(painting(shade)))
        writer.close()
        clips.append(decoded(tmp_path / name))
    assert len(clips[0]) == len(clips[1]) == 10
    assert max(np.abs(a.astype(int) - b).max() for a, b in zip(*clips, strict=True)) <= 6


def test_a_ring_may_be_drawn_over_at_full_speed(tmp_path: Path) -> None:
    """Each frame is encoded as it was when it was added, though only a few are kept."""
    luma, chroma = split(painting(50))
    ring, path = Ring(luma, chroma), tmp_path / "clip.mp4"
    writer = Mp4Writer(path, *SIZE, 25, None)
    for number in range(120):
        planes = ring.take()
        planes.y[:] = 20 + number
        writer.add_frame(planes)
    writer.close()
    shown = [float(frame[: SIZE[1]].mean()) for frame in decoded(path)]
    np.testing.assert_allclose(shown, np.arange(120) + 20, atol=1.5)


def test_no_more_frames_are_held_than_was_promised() -> None:
    gate, started, taken = threading.Event(), threading.Event(), 0

    def encode(_: av.VideoFrame) -> None:
        started.set()
        gate.wait(10)

    encoder, frame = Encoder(encode), planes_of(painting(0)).buffer

    def put() -> None:
        nonlocal taken
        for _ in range(HELD + 3):
            encoder.put(frame)
            taken += 1

    putting = threading.Thread(target=put)
    putting.start()
    assert started.wait(10)
    putting.join(0.2)
    assert taken <= HELD
    gate.set()
    putting.join(10)
    encoder.drain()
    assert taken == HELD + 3


def test_what_went_wrong_in_the_thread_reaches_whoever_puts() -> None:
    def encode(_: av.VideoFrame) -> None:
        raise VideoError("no more room in the picture")

    encoder, frame = Encoder(encode), planes_of(painting(0)).buffer
    with pytest.raises(VideoError, match="no more room"):  # noqa: PT012 - the first or a later one
        for _ in range(100):
            encoder.put(frame)
    with pytest.raises(VideoError, match="no more room"):
        encoder.drain()
    encoder.stop()


def test_a_writer_that_was_given_up_leaves_no_thread_and_no_file(tmp_path: Path) -> None:
    before = threading.active_count()
    writer = Mp4Writer(tmp_path / "clip.mp4", *SIZE, 25, 16_000)
    for shade in range(5):
        writer.add_frame(planes_of(painting(shade)))
    writer.abort()
    writer.abort()
    with pytest.raises(VideoError, match="closed"):
        writer.add_frame(planes_of(painting(0)))
    assert threading.active_count() == before
    assert not list(tmp_path.iterdir())


def test_a_finished_writer_is_freed_at_once(tmp_path: Path) -> None:
    """Not when the garbage collector comes by: an encoder holds megabytes."""
    writer = Mp4Writer(tmp_path / "clip.mp4", *SIZE, 25, 16_000)
    writer.add_frame(planes_of(painting(0)))
    writer.close()
    gone = weakref.ref(writer)
    gc.disable()
    try:
        del writer
        assert gone() is None
    finally:
        gc.enable()


@pytest.mark.parametrize("side", [(64, 96), (98, 64)])
def test_planes_of_another_size_are_refused(tmp_path: Path, side: tuple[int, int]) -> None:
    writer = Mp4Writer(tmp_path / "clip.mp4", *SIZE, 25, None)
    with pytest.raises(VideoError, match="96x64"):
        writer.add_frame(planes_of(np.zeros((side[1], side[0], 3), np.uint8)))
    writer.abort()


def test_planes_know_their_buffer() -> None:
    planes: Planes = planes_of(painting(7))
    assert planes.buffer.format.name == "yuv420p"
    assert planes.y.shape == (SIZE[1], SIZE[0])
    assert planes.u.shape == planes.v.shape == (SIZE[1] // 2, SIZE[0] // 2)
