"""Crops of faces, the masks that join a redrawn one to its picture, and faces followed through a film."""

from __future__ import annotations

from itertools import pairwise

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from worker.faces.blending import blend, feathered, jaw, square
from worker.faces.crops import Box, Place, cut, put, within
from worker.faces.tracking import filled, steadied

WHOLE = Place(0, 0, 512, 512)
FACE = Box(150.0, 120.0, 350.0, 341.0)
KERNEL = 17


@pytest.fixture(scope="module")
def picture() -> NDArray[np.uint8]:
    """Soft shapes, as a face has them."""
    noise = np.random.default_rng(1).normal(0, 1, (512, 512, 3)).astype(np.float32)
    soft = cv2.GaussianBlur(noise, (0, 0), 6)
    return np.asarray(128 + soft / soft.std() * 35).clip(0, 255).astype(np.uint8)


def moved(picture: NDArray[np.uint8], by: float) -> NDArray[np.uint8]:
    """To the right, by a part of a pixel."""
    shift = np.array([[1.0, 0.0, by], [0.0, 1.0, 0.0]])
    return np.asarray(cv2.warpAffine(picture, shift, (512, 512), flags=cv2.INTER_LANCZOS4), np.uint8)


def contour(box: Box) -> NDArray[np.float32]:
    """From ear to ear by way of the chin: half an ellipse that touches the box's sides, ten pixels above its bottom."""
    angles = np.linspace(np.pi, 0, 23)
    middle, level = (box.left + box.right) / 2, box.top + box.height * 0.4
    x = middle + np.cos(angles) * box.width / 2
    return np.column_stack([x, level + np.sin(angles) * (box.bottom - 10 - level)]).astype(np.float32)


# crops


@pytest.mark.parametrize("edges", [(150, 120, 350, 341), (100, 90, 420, 430), (10, 20, 110, 140)])
def test_a_crop_of_whole_pixels_is_what_resizing_gives(picture: NDArray[np.uint8], edges: tuple[int, ...]) -> None:
    left, top, right, bottom = edges
    box = Box(*map(float, edges))
    resized = cv2.resize(picture[top:bottom, left:right], (256, 256), interpolation=cv2.INTER_LANCZOS4)
    inner = np.s_[8:-8, 8:-8]  # at the rim resizing knows nothing of what lies beyond
    np.testing.assert_allclose(cut(picture, box, 256)[inner].astype(int), resized[inner], atol=1)


@pytest.mark.parametrize("box", [FACE, Box(149.7, 119.45, 350.3, 340.9), Box(90.25, 60.5, 430.75, 440.1)])
def test_a_crop_put_back_can_not_be_seen(picture: NDArray[np.uint8], box: Box) -> None:
    place = Place(180, 180, 120, 120)
    error = put(cut(picture, box, 256), box, place).astype(float) - picture[180:300, 180:300]
    assert 10 * np.log10(255**2 / (error**2).mean()) > 40


def test_a_crop_follows_its_face_by_parts_of_a_pixel(picture: NDArray[np.uint8]) -> None:
    """Rounded boxes would give crops that are off by half a pixel, which these shapes show as a dozen levels."""
    still = cut(picture, FACE, 256).astype(int)
    for by in (0.1, 0.25, 0.5, 0.9):
        there = Box(FACE.left + by, FACE.top, FACE.right + by, FACE.bottom)
        assert np.abs(cut(moved(picture, by), there, 256) - still).max() <= 4


def test_a_face_much_larger_than_its_place_is_averaged() -> None:
    stripes = np.zeros((256, 256, 3), np.uint8)
    stripes[:, ::2] = 255
    small = put(stripes, Box(10.0, 10.0, 74.0, 74.0), Place(12, 12, 60, 60))
    assert small.shape == (60, 60, 3)
    np.testing.assert_allclose(small, 127.5, atol=2)


@pytest.mark.parametrize(
    ("box", "inside"),
    [
        (Box(10, 20, 30, 40), Box(10, 20, 30, 40)),
        (Box(-5, -6, 30, 40), Box(0, 0, 30, 40)),
        (Box(90, 20, 130, 140), Box(90, 20, 100, 80)),
        (Box(200, 200, 300, 300), Box(99, 79, 100, 80)),
    ],
)
def test_a_box_is_held_within_the_picture(box: Box, inside: Box) -> None:
    assert within(box, 100, 80) == inside


# masks


@pytest.mark.parametrize(
    ("box", "left", "top", "side", "kernel"),
    [
        # the longer side 221: 221 // 2 x 1.5 = 165; the middle (250, 230); 0.05 x 330 // 2 x 2 + 1 = 17
        (FACE, 85, 65, 330, 17),
        # 340 // 2 x 1.5 = 255; (260, 260); 0.05 x 510 // 2 x 2 + 1 = 25
        (Box(100, 90, 420, 430), 5, 5, 510, 25),
        # 40 // 2 x 1.5 = 30; (10, 20): beyond the picture; 0.05 x 60 // 2 x 2 + 1 = 3
        (Box(0, 0, 20, 40), -20, -10, 60, 3),
    ],
)
def test_the_square_about_a_box(box: Box, left: int, top: int, side: int, kernel: int) -> None:
    found = square(box)
    assert (found.left, found.top, found.side, found.kernel) == (left, top, side, kernel)


def test_a_mask_is_of_the_lower_half_and_soft() -> None:
    mask = feathered(np.full((512, 512), 255, np.uint8), FACE, WHOLE, KERNEL)
    assert mask[: 230 - KERNEL // 2].max() == 0, "230 is the box's middle"
    assert mask[230 + KERNEL // 2 : 330, 170:330].min() == 255
    assert not any(beyond.any() for beyond in (mask[341:], mask[:, :150], mask[:, 350:]))
    steps = np.abs(np.diff(mask[:330, 250].astype(int)))  # down the middle
    assert steps.max() < 255 / 4


def mask_of(box: Box, place: Place = WHOLE) -> NDArray[np.uint8]:
    return feathered(jaw(contour(box), box, place), box, place, KERNEL)


def test_a_part_of_a_mask_is_the_mask_of_the_part() -> None:
    np.testing.assert_array_equal(mask_of(FACE, Place(140, 200, 220, 160)), mask_of(FACE)[200:360, 140:360])


def test_the_jaw_reaches_the_chin_and_leaves_the_cheeks() -> None:
    mask = mask_of(FACE)
    assert mask[325, 250] > 200, "the chin is at 331"
    assert mask[260, 250] == 255
    assert mask[240, [156, 343]].tolist() == [0, 0], "the cheeks' contour lies at 150 and 350"
    assert mask[340].max() < 100, "the box ends at 341"
    assert mask[:, [150, 349]].max() == 0


def test_masks_of_a_face_that_hardly_moves_hardly_differ() -> None:
    """A tenth of a pixel a frame. A mask of whole pixels would jump by a twelfth of its full strength now and then."""
    masks = [mask_of(Box(*(edge + step / 10 for edge in FACE))).astype(int) for step in range(12)]
    inner = np.s_[:335]
    assert max(np.abs(a[inner] - b[inner]).max() for a, b in pairwise(masks)) <= 8


def test_blending() -> None:
    whole = np.full((2, 6), 10, np.uint8)
    under, over = whole[:, 1:5], np.array([[30, 30, 255, 0]] * 2, np.uint8)
    blend(under, over, np.array([[0, 0.5, 1, 1]] * 2, np.float32))
    assert whole.tolist() == [[10, 10, 20, 255, 0, 10]] * 2, "a part of a picture, in place"


# films


def trail(*xs: float) -> NDArray[np.float32]:
    """A film of one point, whose x is given; NaN: no face was seen."""
    return np.array([[[x, 2 * x]] for x in xs], np.float32)


def test_frames_without_a_face_take_the_nearest_one() -> None:
    gap = np.nan
    found = filled(trail(gap, 1, gap, gap, gap, 5, gap, gap, 8, gap))
    assert found[:, 0, 0].tolist() == [1, 1, 1, 1, 5, 5, 5, 8, 8, 8]
    lost_at_the_start = filled(trail(gap, gap, gap, 3, 4, 5))
    assert lost_at_the_start[:, 0, 0].tolist() == [5, 3, 3, 3, 4, 5], "the last frame is followed by the first"


def test_trembling_goes_and_motion_stays() -> None:
    time = np.arange(150)
    motion = 200 + 6 * np.sin(2 * np.pi * time / 150)
    noise = np.random.default_rng(2).normal(0, 0.3, 150)
    smooth = steadied(trail(*(motion + noise)))[:, 0, 0]
    assert np.abs(smooth - motion).max() < 0.5
    assert np.abs(np.diff(smooth, 2)).mean() < np.abs(np.diff(motion + noise, 2)).mean() / 10
    assert abs(smooth[0] - smooth[-1]) < 0.5, "it joins on to itself"


@pytest.mark.parametrize("count", [1, 2, 5])
def test_short_films(count: int) -> None:
    np.testing.assert_allclose(steadied(trail(*[7.0] * count)), trail(*[7.0] * count), rtol=1e-6)
