"""Which frames EchoMimicV2's denoiser sees together, and the steps from noise to picture."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.engines.video.echomimic.schedule import Schedule
from worker.engines.video.echomimic.windows import SHIFT, counts, windows


@pytest.mark.parametrize(
    ("frames", "step", "expected"),
    [
        (1, 0, [(0,)]),
        (1, 5, [(0,)]),
        (4, 0, [(0, 1, 2, 3)]),
        (4, 1, [(3, 0, 1, 2)]),  # shifted by 3
        (6, 0, [(0, 1, 2, 3), (3, 4, 5, 0)]),  # the end joins the beginning
        (6, 1, [(3, 4, 5, 0), (0, 1, 2, 3)]),
        (7, 0, [(0, 1, 2, 3), (3, 4, 5, 6), (6, 0, 1, 2)]),
    ],
)
def test_windows_of_four_frames_have_one_in_common(frames: int, step: int, expected: Sequence[tuple[int, ...]]) -> None:
    assert windows(frames, step, 4, 1) == expected


@given(frames=st.integers(1, 400), step=st.integers(0, 40))
def test_windows_cover_every_frame_and_none_twice_in_one(frames: int, step: int) -> None:
    seen = windows(frames, step, 12, 3)
    assert {frame for window in seen for frame in window} == set(range(frames))
    assert all(len(set(window)) == len(window) == min(frames, 12) for window in seen)
    assert sum(counts(frames, seen)) == sum(map(len, seen))
    assert min(counts(frames, seen)) >= 1
    assert all((b - a) % frames == 1 % frames for window in seen for a, b in pairwise(window))


def test_no_seam_stays_where_it_is() -> None:
    first, second = windows(100, 0, 12, 3), windows(100, 1, 12, 3)
    assert [(frame + SHIFT) % 100 for frame in first[0]] == list(second[0])


@pytest.mark.parametrize(("frames", "window", "overlap"), [(0, 12, 3), (10, 3, 3), (10, 4, -1)])
def test_windows_that_lead_nowhere_are_refused(frames: int, window: int, overlap: int) -> None:
    with pytest.raises(ValueError, match="no windows"):
        windows(frames, 0, window, overlap)


@pytest.mark.parametrize(
    ("steps", "times"),
    [(1, [999]), (2, [999, 499]), (6, [999, 832, 666, 499, 332, 166]), (30, [999, 966, 932, 899])],
)
def test_steps_trail(steps: int, times: Sequence[int]) -> None:
    moments = Schedule().moments(steps)
    assert [moment.time for moment in moments][: len(times)] == times
    assert len(moments) == steps


@pytest.mark.parametrize("steps", [1, 2, 5, 40, 1000])  # where each step ends where the next one begins
def test_a_true_velocity_leads_to_the_picture(steps: int) -> None:
    """The velocity of a picture and a noise is known."""
    schedule = Schedule()
    picture, noise = np.array([0.3, -1.2]), np.array([1.0, 0.4])
    latents, signal = noise, schedule._signal()
    for moment in schedule.moments(steps):
        share = signal[moment.time]
        latents = moment.keep * latents + moment.add * (np.sqrt(share) * noise - np.sqrt(1 - share) * picture)
    assert latents == pytest.approx(picture)


@pytest.mark.parametrize("steps", [0, -1, 1001])
def test_other_numbers_of_steps_are_refused(steps: int) -> None:
    with pytest.raises(ValueError, match="steps"):
        Schedule().moments(steps)
