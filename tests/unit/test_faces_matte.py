"""The person's outline, the person's own colours and what is behind: on the shipped portraits and on drawn ones."""

from __future__ import annotations

from functools import cache

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from tests import photos
from worker.faces import matte

AVATARS = ("layla", "omar", "sara")
FACE = np.array([[90, 80], [166, 80], [166, 170], [90, 170]], np.float32)
"""Of the drawn portraits."""


@cache
def shipped(avatar: str) -> tuple[matte.Image, matte.Alpha]:
    return photos.portrait(avatar), photos.outline(avatar, 1024)


@cache
def layers(avatar: str) -> tuple[matte.Image, matte.Image]:
    """The person's own colours and the backdrop."""
    return matte.layers(*shipped(avatar))


@cache
def rendered_behind(avatar: str) -> NDArray[np.float64]:
    """The render's backdrop, a smooth vignette: a polynomial through what is far from the person."""
    picture = photos.portrait(avatar)
    away = cv2.dilate((photos.seen(avatar).person > 0.1).astype(np.uint8), np.ones((121, 121), np.uint8)) == 0
    y, x = np.mgrid[-1:1:1024j, -1:1:1024j]
    terms = np.stack([x**i * y**j for i in range(5) for j in range(5 - i)], axis=-1)
    weights = np.linalg.lstsq(terms[away][::17], picture[away][::17].astype(float), rcond=None)[0]
    return np.asarray(terms @ weights)


def far_off(one: NDArray[np.generic], other: NDArray[np.generic]) -> NDArray[np.float64]:
    """Grey levels, the colour that differs most."""
    return np.asarray(np.abs(one.astype(float) - other.astype(float)).max(axis=2))


@pytest.mark.parametrize("avatar", AVATARS)
def test_the_outline_parts_the_person_from_the_render_s_backdrop(avatar: str) -> None:
    picture, alpha = shipped(avatar)
    # Near the lower corners the polynomial is a guess: shoulders hide what it would have to pass through.
    upper = np.s_[:700]
    off = far_off(picture, rendered_behind(avatar))[upper]
    band = cv2.dilate(alpha, np.ones((41, 41), np.uint8))[upper] > 0
    nobody, person = band & (alpha[upper] == 0), cv2.erode(alpha, np.ones((41, 41), np.uint8))[upper] < 255
    person &= alpha[upper] == 255
    assert np.percentile(off[nobody], 99.5) < 12
    assert np.percentile(off[person], 3) > 12


@pytest.mark.parametrize("avatar", AVATARS)
def test_hair_and_cloth_have_a_soft_rim(avatar: str) -> None:
    _, alpha = shipped(avatar)
    soft = (alpha > 12) & (alpha < 243)
    assert 0.004 < soft.mean() < 0.05
    assert (alpha == 0).mean() > 0.25
    assert (alpha == 255).mean() > 0.35


@pytest.mark.parametrize("avatar", AVATARS)
def test_no_holes_and_no_islands(avatar: str) -> None:
    _, alpha = shipped(avatar)
    whole = cv2.erode(alpha, np.ones((3, 3), np.uint8))
    _, parts = cv2.connectedComponents((whole > 128).astype(np.uint8))
    sizes = np.bincount(parts[parts > 0])
    assert sizes.max() > 0.999 * sizes.sum()
    face = photos.points(avatar)
    hull = np.zeros_like(alpha)
    cv2.fillConvexPoly(hull, cv2.convexHull(face.astype(np.int32)), 1)
    assert (alpha[hull > 0] == 255).all()


@pytest.mark.parametrize("avatar", AVATARS)
def test_at_rest_the_layers_give_the_portrait(avatar: str) -> None:
    picture, alpha = shipped(avatar)
    person, behind = layers(avatar)
    share = alpha[..., None] / 255
    off = far_off(share * person + (1 - share) * behind, picture)
    assert (off > 1).mean() < 1e-4
    np.testing.assert_array_equal(person[alpha == 255], picture[alpha == 255])
    np.testing.assert_array_equal(behind[alpha == 0], picture[alpha == 0])


@pytest.mark.parametrize("avatar", AVATARS)
def test_nothing_of_the_person_is_left_behind(avatar: str) -> None:
    _, alpha = shipped(avatar)
    off = far_off(layers(avatar)[1], rendered_behind(avatar))[:700]
    uncovered = (cv2.dilate(alpha, np.ones((31, 31), np.uint8)) > 0) & (
        cv2.erode(alpha, np.ones((81, 81), np.uint8)) < 255
    )
    assert np.percentile(off[uncovered[:700]], 99.5) < 12


@pytest.mark.parametrize("avatar", AVATARS)
def test_the_person_s_colours_take_no_backdrop_along(avatar: str) -> None:
    picture, alpha = shipped(avatar)
    person, behind = layers(avatar)
    mixed = (alpha > 60) & (alpha < 200)
    assert np.median(far_off(person, behind)[mixed]) > 1.3 * np.median(far_off(picture, behind)[mixed])


def drawn(noise: float) -> tuple[matte.Image, NDArray[np.float32], matte.Image]:
    """A red bust before a grey gradient with grain, its true opacity, and the gradient alone."""
    rng = np.random.default_rng(3)
    shape = np.zeros((256, 256), np.float32)
    cv2.ellipse(shape, (128, 120), (60, 80), 0, 0, 360, 1, -1)
    cv2.ellipse(shape, (128, 290), (120, 90), 0, 0, 360, 1, -1)
    true = cv2.GaussianBlur(shape, (0, 0), 2)
    behind = np.repeat(np.linspace(90, 190, 256)[None, :, None], 256, axis=0).repeat(3, axis=2)
    grainy = behind + rng.normal(0, noise, behind.shape)
    person = np.array([170.0, 40, 30]) + rng.normal(0, noise, behind.shape)
    picture = true[..., None] * person + (1 - true[..., None]) * grainy
    return picture.clip(0, 255).astype(np.uint8), true.astype(np.float32), grainy.clip(0, 255).astype(np.uint8)


@pytest.mark.parametrize("noise", [0.0, 4.0])
def test_a_known_opacity_is_found(noise: float) -> None:
    picture, true, _ = drawn(noise)
    coarse = cv2.resize(cv2.GaussianBlur((true > 0.5).astype(np.float32), (0, 0), 3), (64, 64))
    found = matte.refined(picture, coarse, FACE) / 255
    band = (true > 0.02) & (true < 0.98)
    assert np.abs(found - true)[band].mean() < 0.08
    assert np.abs(found - true)[~band].mean() < 0.004


def test_what_is_behind_has_the_gradient_and_the_grain_of_its_surroundings() -> None:
    picture, true, grainy = drawn(4.0)
    _, filled = matte.layers(picture, np.rint(true * 255).astype(np.uint8))
    rim = (true > 0.99) & (cv2.erode(true, np.ones((21, 21), np.uint8)) < 0.5)
    fine, true_fine = (each.astype(float) - cv2.GaussianBlur(each, (0, 0), 3) for each in (filled, grainy))
    broad = far_off(cv2.GaussianBlur(filled, (0, 0), 3), cv2.GaussianBlur(grainy, (0, 0), 3))
    assert np.percentile(broad[rim], 95) < 12
    assert 0.7 < fine[rim].std() / true_fine[rim].std() < 1.3


def test_glasses_that_the_map_misses_are_the_person_s() -> None:
    picture, true, _ = drawn(2.0)
    coarse = true.copy()
    coarse[100:116, 100:156] = 0
    found = matte.refined(picture, coarse, FACE)
    assert (found[100:116, 100:156] == 255).all()


@pytest.mark.parametrize("map_", [0.0, 1.0, np.nan], ids=["nobody", "everything", "not a number"])
def test_a_map_that_can_t_be_right_gives_a_common_bust(map_: float) -> None:
    picture, _, _ = drawn(2.0)
    found = matte.refined(picture, np.full((256, 256), map_, np.float32), FACE)
    assert found.shape == picture.shape[:2]
    assert found.dtype == np.uint8
    assert found[90:160, 98:158].min() > 250
    assert found[250, 128] > 250
    assert found[:10].max() < 10
    assert np.abs(np.diff(found.astype(int), axis=0)).max() < 64


@pytest.mark.parametrize("alpha", [0, 255], ids=["nobody", "everything"])
def test_layers_of_one_alone(alpha: int) -> None:
    picture, _, _ = drawn(2.0)
    person, behind = matte.layers(picture, np.full(picture.shape[:2], alpha, np.uint8))
    np.testing.assert_array_equal(person if alpha else behind, picture)
