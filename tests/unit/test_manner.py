"""What a face does beside articulating: blinks, gaze, head, breath and brows, and the loop in which it waits."""

from __future__ import annotations

import random
import tracemalloc
from collections.abc import Callable, Iterator
from functools import cache
from itertools import pairwise

import numpy as np
import pytest
from numpy.typing import NDArray

from core.kinds import Tone
from worker.engines.tts.base import Phoneme, Speech
from worker.engines.video.puppet.engine import poses
from worker.engines.video.puppet.manner.bearing import Bearing, Manner
from worker.engines.video.puppet.manner.blinks import CLOSING, LENGTH, OPENING, SHUT, Blinks, lids
from worker.engines.video.puppet.manner.breathing import CYCLE, Breathing
from worker.engines.video.puppet.manner.cues import tell
from worker.engines.video.puppet.manner.curves import Spring, stroke
from worker.engines.video.puppet.manner.gaze import Gaze
from worker.engines.video.puppet.manner.idle import idle_poses
from worker.engines.video.puppet.manner.noise import Noise, dice
from worker.engines.video.puppet.mouth.ipa import segments
from worker.engines.video.puppet.mouth.visemes import Segment
from worker.engines.video.puppet.pose import INDEX, NEUTRAL, Pose

AHEAD = 0.45
"""Seconds by which a bearing is told of the speech before it is asked about it."""

Curve = NDArray[np.float64]
Cue = tuple[float, Callable[[Bearing], None]]


def cues(seed: int, seconds: float) -> Iterator[Cue]:
    """Phrases of two to four seconds, a stress every half second, pauses of 0.15 to 0.6 s; with each, its moment."""
    dice = random.Random(seed)
    at = 0.1
    while at < seconds:
        yield at, lambda one, at=at: one.phrase(at)  # type: ignore[misc]
        stress, end = at + 0.2, at + dice.uniform(2, 4)
        while stress < end:
            yield stress, lambda one, at=stress: one.stress(at)  # type: ignore[misc]
            stress += dice.uniform(0.3, 0.7)
        at = end + dice.uniform(0.15, 0.6)
        yield end, lambda one, start=end, end=at: one.pause(start, end)  # type: ignore[misc]


def follow(bearing: Bearing, seconds: float, *, fps: int = 25, seed: int = 1) -> Iterator[Manner]:
    """A bearing through a clip, told of its speech only as far ahead as the engine is."""
    coming, last = cues(seed, seconds), seconds - 1 / fps
    cue = next(coming)
    for place in range(round(seconds * fps)):
        moment = place / fps
        while cue[0] < moment + AHEAD:
            cue[1](bearing)
            cue = next(coming, (float("inf"), lambda _: None))
        if moment >= last - 0.5:
            bearing.end(last)
        yield bearing.at(moment, min(1.0, moment / 0.2, (last - moment) / 0.4))


@cache
def talking(tone: Tone, intensity: float = 1.0, seconds: float = 120.0, seed: str = "x") -> tuple[Manner, ...]:
    return tuple(follow(Bearing(seed, tone, intensity), seconds))


def head(shown: tuple[Manner, ...]) -> Curve:
    """(frames, 3) yaw, pitch, roll."""
    return np.array([(one.yaw, one.pitch, one.roll) for one in shown])


def pulls(shown: tuple[Manner, ...], muscle: str) -> Curve:
    return np.array([one.muscles.get(muscle, 0.0) for one in shown])


def onsets(shown: tuple[Manner, ...], fps: int = 25) -> Curve:
    """Seconds at which the lids have shut."""
    shut = np.array([one.lids > 0.99 for one in shown])
    return np.flatnonzero(shut[1:] & ~shut[:-1]) / fps


def spoken(ipa: str, seconds: float, text: str | None = None) -> Speech:
    """Phonemes (one letter each; the first of every four stressed) of equal length."""
    each = seconds / max(len(ipa), 1)
    marks = tuple(
        Phoneme("ˈ" * (place % 4 == 1) + letter, each * place, each * (place + 1)) for place, letter in enumerate(ipa)
    )
    return Speech(np.full(round(seconds * 16_000), 0.1, np.float32), 16_000, marks, text)


def same(one: Pose, other: Pose) -> bool:
    plain = (
        (pose.tongue, pose.lids, pose.yaw, pose.pitch, pose.roll, *pose.sway, pose.tip, *pose.gaze, pose.breath)
        for pose in (one, other)
    )
    return bool((one.muscles == other.muscles).all()) and next(plain) == next(plain)


@pytest.mark.parametrize("tone", Tone)
@pytest.mark.parametrize("seconds", [0.4, 2.0, 7.3])
def test_a_clip_begins_and_ends_neutral(tone: Tone, seconds: float) -> None:
    speech = [spoken("ama" * 4, seconds), Speech(np.zeros(8000, np.float32), 16_000, ())]
    shown = list(poses(speech, seed="x", fps=25, tone=tone, intensity=1.0))
    assert same(shown[0], NEUTRAL)
    assert same(shown[-1], NEUTRAL)
    assert not same(shown[len(shown) // 2], NEUTRAL)


def test_a_bearing_at_rest_is_neutral() -> None:
    bearing = Bearing("x", Tone.LIVELY, 1.0)
    shown = bearing.at(0.0, 0.0)
    assert not any([shown.lids, shown.yaw, shown.pitch, shown.roll, *shown.sway, *shown.gaze, shown.breath])
    assert not any(shown.muscles.values())


@pytest.mark.parametrize("tone", Tone)
def test_the_same_seed_moves_alike_and_another_does_not(tone: Tone) -> None:
    first, again, other = (tuple(follow(Bearing(seed, tone, 0.7), 20)) for seed in ("x", "x", "y"))
    assert first == again
    assert np.abs(head(first) - head(other)).max() > 0.5
    assert not np.array_equal(onsets(first), onsets(other))


def test_the_frame_rate_does_not_change_what_happens() -> None:
    slow = tuple(follow(Bearing("x", Tone.CHEERFUL, 1.0), 60, fps=25))
    fast = tuple(follow(Bearing("x", Tone.CHEERFUL, 1.0), 60, fps=50))[::2]
    away = np.abs(head(slow) - head(fast))[5:-15]
    np.testing.assert_allclose(away, 0, atol=1e-6)
    np.testing.assert_allclose([one.lids for one in slow[5:-15]], [one.lids for one in fast[5:-15]], atol=1e-6)


def test_a_blink_is_one_smooth_curve() -> None:
    times = np.arange(-0.1, 0.5, 0.001)
    curve = np.array([lids(float(time)) for time in times])
    assert np.abs(np.diff(curve)).max() < 0.02
    assert curve.max() == 1.0
    assert np.ptp(times[curve == 1.0]) == pytest.approx(SHUT, abs=0.003)
    assert CLOSING < OPENING
    assert np.ptp(times[curve > 0]) == pytest.approx(LENGTH, abs=0.005)


@pytest.mark.parametrize("fps", [24, 25, 30, 50, 60])
def test_every_blink_shuts_the_eyes_for_a_frame(fps: int) -> None:
    for offset in np.linspace(0, 1 / fps, 20):
        assert max(lids(float(offset) + place / fps) for place in range(fps)) == 1.0


@pytest.mark.parametrize("tone", Tone)
def test_blinks_over_ten_minutes(tone: Tone) -> None:
    times = onsets(talking(tone, seconds=600.0))
    gaps = np.diff(times)
    single = gaps[gaps > 0.7]
    assert 14 <= len(times) / 10 <= 24
    assert single.min() >= 0.9
    assert single.max() <= 8.0
    assert 2.4 <= np.median(single) <= 4.2
    assert single.std() > 0.9
    assert 0.03 <= (gaps <= 0.7).mean() <= 0.2


@pytest.mark.parametrize("seed", range(30))
def test_no_blink_begins_near_the_ends(seed: int) -> None:
    """Shut is reached 0.1 s and a frame after a blink began."""
    times = onsets(tuple(follow(Bearing(str(seed), Tone.NEUTRAL, 0.5), 6.0, seed=seed)))
    assert ((times >= 0.4) & (times <= 6.0 - 0.04 - 0.5 + CLOSING + 0.04)).all()


def test_blinks_gather_where_they_are_hinted_at() -> None:
    blinks = Blinks(dice("x", "blinks"), dice("x", "hints"))
    taken = 0
    for place in range(200):
        blinks.at(4.0 * place)
        blinks.hint(4.0 * place + 2, 0.6)
        taken += blinks.at(4.0 * place + 2 + CLOSING + SHUT / 2) == 1.0
    assert 50 <= taken <= 120


@pytest.mark.parametrize("tone", Tone)
def test_eyes_keep_to_the_camera(tone: Tone) -> None:
    """Gaze is relative to the head: what the head turns, the eyes turn back."""
    shown = talking(tone)
    eyes = np.array([one.gaze for one in shown]) + head(shown)[:, :2]
    away = np.hypot(*eyes.T)
    assert (away < 1.2).mean() >= 0.85
    assert 2.5 < away.max() < 7
    assert head(shown)[:, 0].std() > 0.4
    assert np.hypot(*eyes[away < 1.2].T).std() > 0.05


def test_glances_are_short_and_rare() -> None:
    gaze = Gaze(dice("x", "gaze"))
    away: list[bool] = []
    for place in range(6000):
        if place % 25 == 0:
            gaze.glance(place / 50, 0.5)
        away.append(np.hypot(*gaze.at(place / 50)) > 1.2)
    edges = np.flatnonzero(np.diff(np.array(away).astype(int)))
    lengths, apart = np.diff(edges)[::2] / 50, np.diff(edges[::2]) / 50
    assert lengths.min() > 0.25
    assert lengths.max() < 0.8
    assert apart.min() > 4


@pytest.mark.parametrize("seed", range(20))
def test_the_last_look_is_into_the_camera(seed: int) -> None:
    shown = tuple(follow(Bearing(str(seed), Tone.NEUTRAL, 0.5), 5.0, seed=seed))
    eyes = np.array([one.gaze for one in shown]) + head(shown)[:, :2]
    np.testing.assert_allclose(eyes[-10:], 0, atol=0.01)


@pytest.mark.parametrize("tone", Tone)
def test_nothing_moves_faster_than_a_calm_head(tone: Tone) -> None:
    """Degrees a second of yaw, pitch and roll; degrees; a second of muscles."""
    shown = talking(tone)
    speed = np.abs(np.diff(head(shown), axis=0)) * 25
    assert (speed.max(axis=0) < [10, 32, 9]).all()
    assert (np.percentile(speed, 90, axis=0) < [4, 12, 4]).all()
    assert (np.abs(head(shown)).max(axis=0) < [3.0, 4.5, 3.6]).all()
    assert (head(shown).std(axis=0) > [0.4, 0.3, 0.3]).all()
    for muscle in shown[0].muscles:
        assert np.abs(np.diff(pulls(shown, muscle))).max() * 25 < 9


def test_nods_come_with_some_stresses_and_a_little_before() -> None:
    """Pitch with the stresses less pitch without them: the nods alone."""
    stressed, still = Bearing("x", Tone.NEUTRAL, 1.0), Bearing("x", Tone.NEUTRAL, 1.0)
    moments = np.arange(1.0, 61.0, 1.0)
    for moment in moments:
        stressed.stress(float(moment))
    times = np.arange(0, 62, 0.02)
    nod = np.array([stressed.at(float(time), 1.0).pitch - still.at(float(time), 1.0).pitch for time in times])
    near = nod[np.searchsorted(times, moments - 0.04 - 1e-6)]
    assert 15 <= (near > 0.3).sum() <= 45
    assert 0.8 < nod.max() < 2.6
    assert np.ptp(times[(nod > 0) & (np.abs(times - moments[near > 0.3][0]) < 0.5)]) == pytest.approx(0.33, abs=0.05)
    assert nod.min() > -1e-9


TONES = [
    (Tone.CHEERFUL, "smile", 0.50, 1.0),
    (Tone.CHEERFUL, "cheek", 0.30, 0.75),
    (Tone.GENTLE, "worry", 0.55, 1.1),
    (Tone.LIVELY, "brow", 0.45, 1.5),
    (Tone.LIVELY, "smile", 0.25, 0.70),
    (Tone.CALM, "knit", 0.06, 0.55),
    (Tone.NEUTRAL, "smile", 0.08, 0.30),
]


@pytest.mark.parametrize(("tone", "muscle", "mean", "most"), TONES)
def test_a_tone_shows_and_lives(tone: Tone, muscle: str, mean: float, most: float) -> None:
    """It is there, grows with the intensity, and is never frozen."""
    full, faint = (pulls(talking(tone, intensity), muscle)[25:-25] for intensity in (1.0, 0.1))
    assert mean <= full.mean()
    assert full.max() <= most
    assert faint.mean() < 0.75 * full.mean()
    assert full.std() > 0.05 * full.mean()


@pytest.mark.parametrize("tone", Tone)
def test_brows_go_up_with_some_words(tone: Tone) -> None:
    bearing, quiet = Bearing("x", tone, 1.0), Bearing("x", tone, 1.0)
    for place in range(60):
        bearing.stress(1.0 + place)
    moved = [
        abs(bearing.at(t, 1.0).muscles[muscle] - quiet.at(t, 1.0).muscles[muscle])
        for t in np.arange(0, 61, 0.04).tolist()
        for muscle in ("brow", *(["knit"] if tone is Tone.CALM else []))
    ]
    assert 0.1 < max(moved) < 0.65


def test_rounded_lips_hold_the_smile_back() -> None:
    free, rounded = (Bearing("x", Tone.CHEERFUL, 1.0).at(2.0, 1.0, lips) for lips in (0.0, 1.0))
    assert 0.4 * free.muscles["smile"] < rounded.muscles["smile"] < 0.7 * free.muscles["smile"]
    assert rounded.muscles["cheek"] == free.muscles["cheek"]


def test_a_smile_narrows_the_lids_and_looking_down_lowers_them() -> None:
    stern, smiling = (np.percentile([one.lids for one in talking(tone)], 30) for tone in (Tone.CALM, Tone.CHEERFUL))
    assert stern + 0.02 < smiling < 0.2
    shown = talking(Tone.CALM)
    down = [one.lids for one in shown if one.gaze[1] > 2]
    assert min(down) > 0.05


@pytest.mark.parametrize("tone", Tone)
def test_a_question_lifts_the_brows_and_tilts_the_head(tone: Tone) -> None:
    told, asked = Bearing("x", tone, 1.0), Bearing("x", tone, 1.0)
    told.phrase(0.0)
    asked.phrase(0.0, asked=True)
    for place in range(50):
        one, other = told.at(place / 25, 1.0), asked.at(place / 25, 1.0)
    assert other.muscles["brow"] > one.muscles["brow"] + 0.1
    assert 1.0 < abs(other.roll - one.roll) < 2.5


def test_quiet_breath() -> None:
    """About fourteen a minute, in faster than out, never still and never quick."""
    breathing = Breathing(dice("x", "breath"))
    chest = np.array([breathing.at(place / 25) for place in range(25 * 300)])
    rising = np.diff(chest) > 0
    tops = np.flatnonzero(rising[:-1] & ~rising[1:])
    assert len(tops) / 5 == pytest.approx(60 / CYCLE, abs=1.5)
    assert 0.3 < rising.mean() < 0.5
    assert np.abs(np.diff(chest)).max() * 25 < 0.8
    assert 0 <= chest.min() < 0.1
    assert chest.max() <= 1


def test_a_breath_is_taken_in_a_long_pause_alone() -> None:
    def risen(length: float) -> float:
        """How far the chest rises in pauses of that length, that begin where it is empty."""
        levels = []
        for seed in range(12):
            bearing = Bearing(str(seed), Tone.NEUTRAL, 0.5)
            bearing.pause(5.0, 5.0 + length)
            before = [bearing.at(place / 50, 1.0).breath for place in range(250)]
            after = [bearing.at(5 + place / 50, 1.0).breath for place in range(20)]
            levels += [max(after) - before[-1]] if before[-1] < 0.4 else []
        return float(np.mean(levels))

    assert risen(0.5) > risen(0.1) + 0.2
    assert risen(0.4) > 0.5


def test_what_is_told_of_speech() -> None:
    told: list[tuple[object, ...]] = []

    class Listener:
        def stress(self, moment: float) -> None:
            told.append(("stress", round(moment, 3)))

        def pause(self, start: float, end: float) -> None:
            told.append(("pause", round(start, 3), round(end, 3)))

        def phrase(self, start: float, *, asked: bool = False) -> None:
            told.append(("phrase", round(start, 3), asked))

    parts: list[Segment] = [*segments("ˈa", 10.2, 10.4), *segments("m", 10.4, 10.5), *segments("_", 10.5, 10.9)]
    tell(Listener(), [*parts, *segments("a", 10.9, 11.0)], 10.0, 11.5, "كيف حالك؟")
    assert told == [
        ("pause", 10.0, 10.2),
        ("phrase", 10.2, True),
        ("stress", 10.3),
        ("pause", 10.5, 10.9),
        ("phrase", 10.9, True),
        ("pause", 11.0, 11.5),
    ]


@pytest.mark.parametrize("pieces", [1, 2, 5, 10])
def test_pieces_of_speech_do_not_change_the_face(pieces: int) -> None:
    """A pause that comes in parts is one pause, and what goes on is no phrase."""
    whole, parted = Bearing("x", Tone.CHEERFUL, 1.0), Bearing("x", Tone.CHEERFUL, 1.0)
    for bearing, count in ((whole, 1), (parted, pieces)):
        bearing.phrase(0.0)
        edges = np.linspace(3.0, 3.5, count + 1).tolist()
        for start, end in pairwise(edges):
            bearing.pause(start, end)
        bearing.phrase(3.5)
    parted.phrase(4.2)
    for place in range(200):
        assert parted.at(place / 25, 1.0) == whole.at(place / 25, 1.0)


@pytest.mark.parametrize("seconds", [4.0, 6.0, 9.3])
@pytest.mark.parametrize("fps", [15, 25, 30])
def test_the_idle_loop_has_no_seam(fps: int, seconds: float) -> None:
    """Every curve but the lids': no step or change of step at the seam is larger than those elsewhere."""
    loop = idle_poses("sara", fps, seconds)
    curves = np.array(
        [(one.yaw, one.pitch, one.roll, *one.sway, one.breath, one.muscles[INDEX["brow"]]) for one in loop]
    )
    assert len(loop) == round(fps * seconds)
    assert same(loop[0], NEUTRAL)
    around = np.concatenate([curves, curves[:2]])
    steps, bends = np.abs(np.diff(around, axis=0)), np.abs(np.diff(around, n=2, axis=0))
    assert (steps[len(loop) - 1] <= 0.4 * steps.max(axis=0)).all()
    assert (bends[-2:] <= 1.01 * bends.max(axis=0)).all()
    assert (steps.max(axis=0)[:3] * fps < 4).all()


@pytest.mark.parametrize("seed", ["sara", "omar", "layla", "a", "b", "c"])
def test_the_idle_loop_lives_and_waits(seed: str) -> None:
    loop = idle_poses(seed, 25)
    shut = np.array([one.lids > 0.99 for one in loop])
    eyes = np.array([(one.gaze[0] + one.yaw, one.gaze[1] + one.pitch) for one in loop])
    assert 1 <= (shut[1:] & ~shut[:-1]).sum() <= 2
    assert not np.array([one.lids for one in [*loop[:10], *loop[-13:]]]).any()
    assert 0.02 < np.hypot(*eyes.T).max() < 0.6
    assert np.ptp([one.yaw for one in loop]) > 0.4
    assert np.ptp([one.breath for one in loop]) > 0.5
    mouth = [place for name, place in INDEX.items() if name != "brow"]
    assert not np.array([one.muscles[mouth] for one in loop]).any()


def test_idle_loops_are_made_again_alike() -> None:
    for one, other in zip(idle_poses("x", 25), idle_poses("x", 25), strict=True):
        assert same(one, other)


def test_a_loop_too_short_is_refused() -> None:
    with pytest.raises(ValueError, match="4 s"):
        idle_poses("x", 25, 2.0)


def test_a_spring_follows_without_a_jump() -> None:
    spring = Spring(4.0)
    spring.towards(1.0, 0.0)
    places = []
    for place in range(400):
        if place in (60, 110):
            spring.towards(-1.0 if place == 60 else 0.5, place / 100)
        places.append(spring.at(place / 100))
    curve = np.array(places)
    assert abs(curve[-1] - 0.5) < 0.01
    assert np.abs(np.diff(curve)).max() < 0.05
    assert np.abs(np.diff(curve, n=2)).max() < 0.005


def test_noise_and_strokes_stay_within_their_bounds() -> None:
    values = np.array([Noise(dice("x", str(n))).at(t) for n in range(20) for t in np.arange(0, 60, 0.5).tolist()])
    assert np.abs(values).max() <= 1
    curve = [stroke(t, 0.1, 0.1, 0.2) for t in np.arange(-0.1, 0.5, 0.01).tolist()]
    assert (min(curve), max(curve)) == (0.0, 1.0)


def test_memory_stays_flat() -> None:
    """What is held after ten minutes of speech is what was held after one."""
    held = []
    tracemalloc.start()
    for place, _ in enumerate(follow(Bearing("x", Tone.LIVELY, 1.0), 600.0)):
        if place in (1500, 14_900):
            held.append(tracemalloc.get_traced_memory()[0])
    tracemalloc.stop()
    assert held[1] < held[0] + 5_000
