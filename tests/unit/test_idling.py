"""Idle loops, decoded again: they join on to themselves, begin as the portrait, and are kept by what they show."""

from __future__ import annotations

import itertools
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from bot.cli.catalogue import make_idle
from core.catalogue import Avatar, Catalogue
from core.errors import InputError, NotFound, VideoError
from core.idling import FPS, SECONDS, HalfLoop, Loop, fingerprint, fingerprints, forget, half_loop_of, loop_of
from core.settings import HOME, Settings
from worker.engines.video.base import Canvas
from worker.grounds import Grounds
from worker.idling import write_loop
from worker.looping import write_looping

IDS = ("layla", "omar", "sara")


def avatar_of(name: str) -> Avatar:
    return Catalogue(HOME).avatar(name)


@pytest.fixture(scope="module", params=IDS)
def made(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Avatar, Path]:
    """An avatar and its loop, as the page gets it."""
    path = tmp_path_factory.mktemp("loop") / "idle-512x512.mp4"
    write_loop(avatar_of(request.param), path, 512, 512)
    return avatar_of(request.param), path


@pytest.fixture
def copied(tmp_path: Path) -> Avatar:
    """An avatar whose files may be changed."""
    folder = tmp_path / "avatars" / "layla"
    shutil.copytree(HOME / "avatars" / "layla", folder)
    return Catalogue(tmp_path).avatar("layla")


def pictures(path: Path) -> list[NDArray[np.int16]]:
    """(h, w) luma."""
    with av.open(str(path)) as container:
        return [frame.to_ndarray(format="gray").astype(np.int16) for frame in container.decode(video=0)]


def change(one: NDArray[np.int16], other: NDArray[np.int16]) -> float:
    return float(np.abs(one - other).mean())


def test_nobody_sees_where_the_loop_joins(made: tuple[Avatar, Path]) -> None:
    shown = pictures(made[1])
    steps = [change(one, other) for one, other in itertools.pairwise(shown)]
    assert change(shown[-1], shown[0]) <= max(steps)
    # Not the lids' fastest moment alone: the join is no more than the liveliest tenth of the steps.
    assert change(shown[-1], shown[0]) <= np.quantile(steps, 0.9) + 0.1
    assert max(change(shown[0], other) for other in shown) > 0.5


def test_the_loop_begins_as_the_portrait(made: tuple[Avatar, Path]) -> None:
    portrait = cv2.imread(str(made[0].portrait), cv2.IMREAD_GRAYSCALE)
    assert portrait is not None
    still = cv2.resize(portrait, (512, 512), interpolation=cv2.INTER_AREA)
    with av.open(str(made[1])) as container:
        first = cv2.cvtColor(next(container.decode(video=0)).to_ndarray(format="bgr24"), cv2.COLOR_BGR2GRAY)
    assert np.abs(first.astype(int) - still).mean() < 3


def test_a_browser_can_play_it_over_and_over(made: tuple[Avatar, Path]) -> None:
    data = made[1].read_bytes()
    assert len(data) < 2_000_000
    assert data.index(b"moov") < data.index(b"mdat")
    with av.open(str(made[1])) as container:
        (stream,) = container.streams
        packets = [packet for packet in container.demux(stream) if packet.size]
        assert (stream.codec_context.name, stream.codec_context.profile) == ("h264", "Main")
        assert not stream.codec_context.has_b_frames
    assert len(packets) == SECONDS * FPS
    assert [packet.is_keyframe for packet in packets] == [True] + [False] * (len(packets) - 1)
    assert [packet.pts for packet in packets] == [packet.dts for packet in packets]


def test_two_are_the_same(tmp_path: Path, copied: Avatar) -> None:
    one, other = (write_loop(copied, tmp_path / "loops" / str(n) / "a.mp4", 128, 96).path for n in range(2))
    assert one.read_bytes() == other.read_bytes()
    assert [path.name for path in (tmp_path / "loops").rglob("*") if path.is_file()] == ["a.mp4", "a.mp4"]


def test_several_may_write_the_same_at_once(tmp_path: Path) -> None:
    """The courier's page and the engines of several processes ask for one loop."""
    path, ready = tmp_path / "a.mp4", threading.Barrier(16)

    def pictures() -> Iterator[NDArray[np.uint8]]:
        ready.wait(10)
        yield from (np.full((64, 64, 3), 10 * number, np.uint8) for number in range(6))

    def write(_number: int) -> int:
        return write_looping(path, pictures(), 6, 64, 64, 25).frames

    with ThreadPoolExecutor(16) as several:
        assert list(several.map(write, range(16))) == [6] * 16
    assert list(tmp_path.iterdir()) == [path]


def test_what_fails_leaves_nothing(tmp_path: Path, copied: Avatar) -> None:
    copied.rig.write_bytes(b"no rig")
    with pytest.raises(VideoError):
        write_loop(copied, tmp_path / "loops" / "a.mp4", 128, 128)
    with pytest.raises(VideoError):
        write_looping(tmp_path / "loops" / "a.mp4", iter([]), 10, 128, 128, 25)
    assert list((tmp_path / "loops").iterdir()) == []


def test_the_process_writes_one_file_and_says_so(tmp_path: Path) -> None:
    path = tmp_path / "new" / "a.mp4"
    command = [sys.executable, "-m", "worker.idling", str(HOME / "avatars" / "layla"), str(path), "64", "64"]
    said = subprocess.run(command, capture_output=True, check=True, cwd=HOME).stdout
    assert said == b'{"bytes": %d}\n' % path.stat().st_size
    lost = subprocess.run([*command[:3], str(tmp_path), *command[4:]], capture_output=True, check=True, cwd=HOME)
    assert b'"failed"' in lost.stdout


@pytest.mark.parametrize("part", ["portrait", "rig"])
def test_a_replaced_avatar_has_a_loop_of_its_own(copied: Avatar, part: str) -> None:
    before = loop_of(copied)
    assert before == loop_of(avatar_of("layla"))
    path: Path = getattr(copied, part)
    path.write_bytes(getattr(avatar_of("omar"), part).read_bytes())
    after = loop_of(copied)
    assert after.fingerprint != before.fingerprint
    assert after.key != before.key
    path.unlink()
    with pytest.raises(NotFound):
        fingerprint(copied)


def test_half_a_body_has_a_loop_of_its_own(tmp_path: Path, copied: Avatar) -> None:
    """Of the picture and the poses, and of nothing else."""
    with pytest.raises(NotFound):
        half_loop_of(copied)
    assert fingerprints(copied) == {fingerprint(copied)}
    found = []
    for file, content in ((copied.half, b"one"), (copied.half, b"other"), (copied.poses, b"poses")):
        file.write_bytes(content)
        found.append(half_loop_of(copied))
    assert len({loop.fingerprint for loop in found} | {loop.key for loop in found} | {fingerprint(copied)}) == 7
    copied.portrait.write_bytes(avatar_of("omar").portrait.read_bytes())
    assert half_loop_of(copied) == found[-1]
    assert found[-1].path(tmp_path) == tmp_path / "idle" / "layla" / found[-1].fingerprint / "echomimic.mp4"
    assert fingerprints(copied) == {fingerprint(copied), found[-1].fingerprint}
    copied.rig.unlink()
    assert fingerprints(copied) == {found[-1].fingerprint}


def test_the_ground_is_what_there_is(tmp_path: Path, copied: Avatar) -> None:
    """The puppet's at the canvas's size, made once; the half body's as soon as it is there, and none without a rig."""
    grounds = Grounds(tmp_path)
    path = grounds(copied, Canvas(96, 64, 25))
    assert path == loop_of(copied, 96, 64).path(tmp_path)
    assert (len(pictures(path)), pictures(path)[0].shape) == (SECONDS * FPS, (64, 96))
    made = path.stat().st_mtime_ns
    assert grounds(copied, Canvas(96, 64, 30)).stat().st_mtime_ns == made
    copied.half.write_bytes(b"half")
    assert grounds(copied, Canvas(96, 64, 25)) == path
    half = half_loop_of(copied).path(tmp_path)
    half.parent.mkdir(parents=True)
    half.write_bytes(b"film")
    assert grounds(copied, Canvas(96, 64, 25)) == half
    half.unlink()
    copied.rig.write_bytes(b"no rig")
    for _ in range(2):
        with pytest.raises(VideoError):
            grounds(copied, Canvas(96, 64, 25))
        copied.rig.unlink(missing_ok=True)


def test_loops_are_kept_apart_and_forgotten(tmp_path: Path) -> None:
    old, new, other = Loop("mona", "a" * 16, 512, 512), HalfLoop("mona", "b" * 16), Loop("nour", "a" * 16, 64, 64)
    for loop in (old, new, other):
        loop.path(tmp_path).parent.mkdir(parents=True)
        loop.path(tmp_path).write_bytes(b"x")
    assert old.path(tmp_path) == tmp_path / "idle" / "mona" / ("a" * 16) / "idle-512x512.mp4"
    forget(tmp_path, "mona", but={new.fingerprint})
    assert [loop.path(tmp_path).exists() for loop in (old, new, other)] == [False, True, True]
    forget(tmp_path, "mona")
    forget(tmp_path, "mona")
    assert [path.name for path in (tmp_path / "idle").iterdir()] == ["nour"]


@pytest.mark.parametrize("name", ["..", "../avatars", "/", "", "a/b", "Layla", "layla\n", "\0"])
def test_what_is_no_id_has_no_place_and_deletes_nothing(tmp_path: Path, name: str) -> None:
    kept = tmp_path / "avatars" / "mona" / "rig.npz"
    kept.parent.mkdir(parents=True)
    kept.write_bytes(b"x")
    (tmp_path / "idle").mkdir()
    for loop in (Loop(name, "a" * 16, 64, 64), HalfLoop(name, "a" * 16)):
        with pytest.raises(NotFound):
            loop.path(tmp_path)
    with pytest.raises(NotFound):
        forget(tmp_path, name)
    assert kept.exists()


def test_the_command_line_writes_one_where_it_is_told_or_where_the_page_looks(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = Settings(_env_file=None, data_dir=tmp_path)
    make_idle(settings, "layla", tmp_path / "a.mp4", "96x64")
    make_idle(settings, "layla", None, "64x64")
    kept = loop_of(avatar_of("layla"), 64, 64).path(tmp_path)
    assert len(pictures(kept)) == len(pictures(tmp_path / "a.mp4")) == SECONDS * FPS
    assert pictures(tmp_path / "a.mp4")[0].shape == (64, 96)
    assert capsys.readouterr().out.count("is made: 6 s") == 2


@pytest.mark.parametrize("size", ["512", "512x", "511x512", "62x64", "9999x512", "-64x64", "64x64x64", "٦٤x٦٤", ""])
def test_the_command_line_says_what_a_size_is(tmp_path: Path, size: str) -> None:
    with pytest.raises(InputError, match="even numbers"):
        make_idle(Settings(_env_file=None, data_dir=tmp_path), "layla", tmp_path / "a.mp4", size)
    assert list(tmp_path.iterdir()) == []
