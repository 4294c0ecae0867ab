"""What a viewer sees of the puppet: its clips are decoded again and their faces found anew."""

from __future__ import annotations

import numpy as np
import pytest

from bench.lipsync.takes import TAKES
from bench.lipsync.verdict import Judged, Verdict, judged, off_neutral

FPS = 25
NEUTRAL_APART = 1.5
"""Grey levels, in the face: what the encoder makes of the same picture as its first and as its last frame."""


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> list[Judged]:
    """Three takes in Arabic and three in English, each avatar in both."""
    return judged(tmp_path_factory.mktemp("clips"))


@pytest.fixture(scope="module")
def verdict(clips: list[Judged]) -> Verdict:
    return Verdict(clips)


@pytest.fixture(scope="module", params=[take.name for take in TAKES])
def clip(clips: list[Judged], request: pytest.FixtureRequest) -> Judged:
    return next(each for each in clips if each.take.name == request.param)


def test_the_mouth_opens_as_the_phonemes_do(verdict: Verdict) -> None:
    assert verdict.fit().r >= 0.92
    assert verdict.fit("opening").r >= 0.90


def test_the_mouth_leads_by_what_was_meant(verdict: Verdict) -> None:
    assert abs(verdict.fit().lag) <= 0.020


def test_every_face_and_language_is_in_time(verdict: Verdict, clip: Judged) -> None:
    fit = verdict.fit_of(clip)
    assert fit.r >= 0.88
    assert abs(fit.lag) <= 0.030


def test_wrong_sound_is_noticed(verdict: Verdict) -> None:
    right = verdict.fit().r
    assert verdict.shuffled().r < right - 0.5
    assert verdict.rolled().r < right - 0.5


def test_lips_shut(verdict: Verdict) -> None:
    assert verdict.closures(lips=True) >= 0.97


def test_open_vowels_are_open(verdict: Verdict) -> None:
    """Or a mouth that never opens would reach every closure."""
    opened, lowered = verdict.open_vowels()
    assert opened >= 0.97
    assert lowered >= 0.9


def test_lip_touches_teeth(verdict: Verdict) -> None:
    assert verdict.closures(lips=False) >= 0.9


def test_rounded_lips_are_narrower(verdict: Verdict) -> None:
    rounded, spread = verdict.widths()
    assert rounded < 0.9 * spread


def test_a_pause_is_still_and_shut(verdict: Verdict) -> None:
    mean, spread = verdict.silence()
    assert mean <= 0.03
    assert spread <= 0.02


def test_nothing_flickers_where_nobody_is(clip: Judged) -> None:
    assert clip.decoded.rim <= 0.05
    assert clip.decoded.background <= 0.05


def test_the_person_is_not_all_of_the_picture(clip: Judged) -> None:
    """Or a background that flickers would not be seen."""
    assert 0.1 < (clip.seen.person < 0.1).mean() < 0.9


def test_both_ends_are_neutral(clip: Judged) -> None:
    off = off_neutral(clip)
    assert off[0] <= 0.1
    assert off[-1] <= NEUTRAL_APART
    assert np.median(off) > 2 * NEUTRAL_APART  # or the test could not fail
    assert max(clip.face.gap[0], clip.face.gap[-1]) <= 0.02


def test_sound_and_picture_are_of_one_length(clip: Judged) -> None:
    assert abs(clip.decoded.picture_s - clip.decoded.sound_s) <= 1 / FPS
    assert clip.decoded.picture_s == pytest.approx(clip.clip.seconds, abs=1 / FPS)


def test_it_blinks_and_moves_a_little(verdict: Verdict, clip: Judged) -> None:
    assert clip.face.blinks >= 1
    assert 5 <= verdict.blinks_per_minute() <= 40
    for angle, most in ((clip.face.yaw, 6), (clip.face.pitch, 7), (clip.face.roll, 5)):
        assert 0.3 < np.abs(angle).max() < most


def test_a_blink_shuts_the_eyes_and_is_brief(clip: Judged) -> None:
    assert clip.face.lids.min() < 0.3
    assert (clip.face.lids < 0.5).mean() < 0.15
