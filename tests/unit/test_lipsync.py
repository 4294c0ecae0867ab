"""The measures of lip-sync, on movements that are known."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from bench.lipsync import sync
from bench.lipsync.face import measured
from bench.lipsync.picture import decoded
from bench.lipsync.table import read
from bench.lipsync.takes import TAKES, Clip
from bench.lipsync.verdict import ASTRAY_S, astray
from core.errors import SurroundingsError
from worker.engines.tts.base import Phoneme
from worker.engines.video.puppet.mouth.articulation import LEAD
from worker.media import Mp4Writer

FPS = 25


def speech(seconds: float = 6.0) -> NDArray[np.float64]:
    """A movement at sync.RATE, of no single rhythm."""
    moments = np.arange(round(seconds * sync.RATE)) / sync.RATE
    return np.asarray(1 + np.sin(9 * moments) + np.sin(14.3 * moments + 1))


def shown(expected: NDArray[np.float64], late: float) -> NDArray[np.float64]:
    """At FPS, led as the puppet leads, and `late` by so many seconds."""
    moments = np.arange(5 * FPS) / FPS + LEAD - late
    return np.interp(moments, np.arange(len(expected)) / sync.RATE, expected)


@pytest.mark.parametrize("late", [0.0, 0.013, -0.02, 0.1, -0.16])
def test_a_lag_is_found_between_frames(late: float) -> None:
    expected = speech()
    fit = sync.fit([shown(expected, late)], [expected], FPS)
    assert fit.lag == pytest.approx(late, abs=0.003)
    assert fit.r > 0.999


def test_clips_are_judged_as_one() -> None:
    expected = [speech(), speech() ** 2]
    assert sync.fit([shown(each, 0.0) for each in expected], expected, FPS).r > 0.999
    assert sync.fit([shown(each, 0.0) for each in reversed(expected)], expected, FPS).r < 0.95


def test_a_mouth_that_does_not_move_has_no_correlation() -> None:
    assert sync.fit([np.zeros(50)], [speech()], FPS).r == 0.0


@pytest.mark.parametrize(("frame", "hit"), [(22, False), (23, True), (24, True), (25, True), (26, True), (27, False)])
def test_a_closure_is_reached_while_the_mouth_shows_it(frame: int, hit: bool) -> None:
    gap = np.full(60, 0.2)
    gap[frame] = 0.0
    assert sync.reached(gap, [(1.0, 1.045)], FPS, sync.SHUT) == [hit]


def test_pauses_leave_room_for_the_mouth_to_come_to_rest() -> None:
    quiet = sync.still([Phoneme("a", 1.0, 1.2)], 60, FPS)
    moments = np.arange(60) / FPS + LEAD
    assert list(quiet) == list((moments < 0.85) | (moments > 1.35))


def test_an_opening_that_follows_the_sound() -> None:
    rate, loud = 16_000, np.interp(np.arange(5 * 16_000) / 16_000, np.arange(6 * sync.RATE) / sync.RATE, speech())
    clip = Clip(Path(), (), (np.sign(np.sin(np.arange(len(loud)))) * loud).astype(np.float32), rate, FPS)
    assert sync.loudness_r(shown(speech(), 0.0), clip) > 0.9


def test_phonemes_astray_keep_their_lengths() -> None:
    moved = astray([Phoneme("a", 0.5, 0.7), Phoneme("b", 3.5, 3.6)], 5.0)
    assert [each.ipa for each in moved] == ["b", "a"]
    assert [round(each.start, 3) for each in moved] == [0.5, 0.5 + ASTRAY_S]
    assert moved[0].end == pytest.approx(0.6)


def face(gap: float = 0.0, turned: float = 0.0, near: float = 1.0) -> NDArray[np.float32]:
    """(478, 3): eyes 200 apart, a mouth 100 wide that is open by `gap` of that, rolled by degrees and brought near."""
    points = np.zeros((478, 3))
    for eye, x in ((33, -100), (263, 100), (133, -40), (362, 40)):
        points[eye, :2] = x, 0
    for upper, lower, x in ((160, 144, -70), (159, 145, -70), (158, 153, -70), (385, 380, 70), (386, 374, 70)):
        points[[upper, lower], 0], points[upper, 1], points[lower, 1] = x, -8, 8
    points[[387, 373], 0], points[387, 1], points[373, 1] = 70, -8, 8
    points[[61, 291], 0], points[[61, 291], 1] = (-50, 50), 130
    for upper, lower, x in ((82, 87, -15), (13, 14, 0), (312, 317, 15)):
        points[[upper, lower], 0], points[upper, 1], points[lower, 1] = x, 130, 130 + 100 * gap
    points[17, :2], points[2, :2], points[454, 0], points[234, 0] = (0, 150), (0, 60), 120, -120
    points[10, :2], points[152, :2] = (0, -100), (0, 200)
    angle = np.radians(turned)
    points[:, :2] = points[:, :2] @ np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    return (points * near + [256, 256, 0]).astype(np.float32)


@pytest.mark.parametrize(("turned", "near"), [(0.0, 1.0), (8.0, 1.0), (-5.0, 1.3)])
def test_a_gap_is_the_same_wherever_the_head_is(turned: float, near: float) -> None:
    seen = measured(np.stack([face(), face(0.2, turned, near)]))
    assert seen.gap == pytest.approx([0.0, 0.2], abs=1e-4)
    assert seen.roll[1] == pytest.approx(turned, abs=0.01)
    assert seen.width[1] == pytest.approx(1.0, abs=1e-4)


def test_lids_that_shut_once_are_one_blink() -> None:
    points = np.stack([face()] * 20)
    points[8:11, [160, 159, 158, 385, 386, 387], 1] += 14
    assert measured(points).blinks == 1
    assert measured(np.stack([face()] * 20)).blinks == 0


@pytest.mark.parametrize(("rim", "middle"), [(0, 0), (40, 0), (0, 40)])
def test_flicker_is_seen_where_it_is(tmp_path: Path, rim: int, middle: int) -> None:
    person = np.zeros((64, 64), np.float32)
    person[20:44, 20:44] = 1
    writer = Mp4Writer(tmp_path / "clip.mp4", 128, 128, FPS, 16_000)
    writer.add_sound(np.zeros(16_000, np.float32))
    for number in range(FPS):
        frame = np.full((128, 128, 3), 100, np.uint8)
        frame[:8] += np.uint8(rim * (number % 2))
        frame[56:72, 56:72] += np.uint8(middle * (number % 2))
        writer.add_frame(frame)
    writer.close()
    seen = decoded(tmp_path / "clip.mp4", person)
    assert (seen.rim > 0.5) == (seen.background > 0.5) == bool(rim)
    assert seen.frames == FPS
    assert seen.picture_s == pytest.approx(seen.sound_s, abs=1 / FPS)


def test_the_table_is_the_tests_own(tmp_path: Path) -> None:
    table = read()
    assert [(c.start, c.lips) for c in table.closures([Phoneme("m", 0.1, 0.2), Phoneme("f", 0.5, 0.6)])] == [
        (0.1, True),
        (0.5, False),
    ]
    with pytest.raises(SurroundingsError, match="part of the checkout"):
        read(tmp_path / "phoneme_table.py")


def test_the_takes_are_rich_in_closures() -> None:
    assert len({take.name for take in TAKES}) == 6
    for take in TAKES:
        letters = "بمف" if take.language == "ar" else "pbmfv"
        assert sum(letter in letters for letter in "".join(take.sentences).lower()) >= 8
