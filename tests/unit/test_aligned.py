"""Faces aligned and put back, and alignments that don't tremble."""

from __future__ import annotations

import cmath

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from worker.faces.aligned import TEMPLATE, Alignment, alignment, cut, oval, put
from worker.faces.steadying import Steady

Places = NDArray[np.float64]


def placed(how: Alignment) -> Places:
    """The template's places in the frame."""
    z = (TEMPLATE @ [1, 1j] - how.shift) / how.turn
    return np.column_stack([z.real, z.imag])


def about(x: float, y: float, side: float, degrees: float) -> Alignment:
    turn = cmath.rect(1 / side, np.deg2rad(degrees))
    return Alignment(turn, complex(0.5, 0.5) - turn * complex(x, y))


def scene(width: int, height: int) -> NDArray[np.uint8]:
    """Smooth, and nowhere the same."""
    x, y = np.meshgrid(np.arange(width) + 0.5, np.arange(height) + 0.5)
    waves = [np.sin(x / 9) + np.cos(y / 11), np.cos(x / 13 + y / 17), np.sin((x - y) / 15)]
    return np.stack([128 + 50 * wave for wave in waves], axis=2).astype(np.uint8)


@pytest.mark.parametrize(
    ("x", "y", "side", "degrees"), [(100, 90, 80, 0), (60.3, 70.8, 111.7, 12), (200, 150, 40, -25)]
)
def test_a_similarity_is_found_again(x: float, y: float, side: float, degrees: float) -> None:
    found = alignment(placed(about(x, y, side, degrees)))
    assert found.middle == pytest.approx(complex(x, y))
    assert found.side == pytest.approx(side)
    assert np.rad2deg(cmath.phase(found.turn)) == pytest.approx(degrees, abs=1e-9)


def test_one_point_is_no_face() -> None:
    with pytest.raises(ValueError, match="one point"):
        alignment(np.full((5, 2), 7.0))


@pytest.mark.parametrize("zoom", [1.0, 1.5, 2.109375])
@pytest.mark.parametrize(("side", "degrees"), [(120.0, 0.0), (90.0, 14.0), (240.0, -9.0)])
def test_an_untouched_face_put_back_is_not_seen(zoom: float, side: float, degrees: float) -> None:
    """The square is of 256 pixels: enlarged from the frame for most of these, then shrunk again."""
    frame = scene(256, 256)
    size = round(256 * zoom)
    large = np.asarray(cv2.resize(frame, (size, size), interpolation=cv2.INTER_CUBIC), np.uint8)
    how = about(131.3, 120.7, side, degrees)
    pasted = large.copy()
    put(pasted, cut(frame, how, 256), oval(256), how, (256, 256))
    assert (pasted != large).any()
    error = np.square(pasted.astype(float) - large)[(pasted != large).any(axis=2)].mean()
    assert 10 * np.log10(255**2 / error) > 40


@pytest.mark.parametrize(("x", "y"), [(10, 128), (250, 250), (128, -60), (400, 400)])
def test_a_face_may_lie_beyond_the_frame(x: float, y: float) -> None:
    frame, how = scene(256, 256), about(x, y, 120, 5)
    pasted = frame.copy()
    put(pasted, cut(frame, how, 64), oval(64), how, (256, 256))
    assert np.abs(pasted.astype(int) - frame).mean() < 1


def test_only_the_oval_is_covered() -> None:
    mask, how, black = oval(128), about(128, 128, 100, 0), np.zeros((256, 256, 3), np.uint8)
    put(black, np.full((128, 128, 3), 255, np.uint8), mask, how, (256, 256))
    rim = np.concatenate([mask[0], mask[-1], mask[:, 0], mask[:, -1]])
    assert rim.max() == 0
    eyes, mouth = placed(how)[:2].mean(axis=0).astype(int), placed(how)[3:].mean(axis=0).astype(int)
    assert black[eyes[1], eyes[0]].min() == black[mouth[1], mouth[0]].min() == 255
    outside = black.copy()
    outside[78:178, 78:178] = 0
    assert outside.max() == 0


def film(count: int, speed: float, trembling: float) -> list[Alignment]:
    random = np.random.default_rng(3)
    ways = [about(100 + speed * i, 100, 120, 0) for i in range(count)]
    return [alignment(placed(way) + random.normal(0, trembling, (5, 2))) for way in ways]


def test_a_still_face_stays_still() -> None:
    steady = Steady()
    seen = film(1, 0, 0)[0]
    followed = [steady.followed(seen) for _ in range(5)]
    assert followed == [followed[0]] * 5
    assert followed[0].middle == pytest.approx(seen.middle)


def test_trembling_is_taken_away() -> None:
    seen, steady = film(60, 0, 0.4), Steady()
    raw = np.array([[how.middle.real, how.middle.imag, how.side] for how in seen])
    calm = np.array([[how.middle.real, how.middle.imag, how.side] for how in map(steady.followed, seen)])
    assert (np.diff(calm, axis=0).std(axis=0) < np.diff(raw, axis=0).std(axis=0) / 3).all()


def test_a_moving_face_is_followed() -> None:
    seen, steady = film(60, 1.5, 0.0), Steady()
    lag = [abs(steady.followed(how).middle - how.middle) / how.side for how in seen]
    assert max(lag) < 0.05


def test_another_face_is_taken_at_once() -> None:
    steady = Steady()
    steady.followed(about(100, 100, 120, 0))
    assert steady.followed(about(300, 110, 60, 8)).middle == pytest.approx(complex(300, 110))
