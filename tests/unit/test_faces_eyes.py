"""Lids that close over the eye, and a gaze that moves between them."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from core.settings import HOME
from tests import photos
from worker.faces import donor as donors
from worker.faces import landmarks as lm
from worker.faces import lids, spectacles
from worker.faces.eyes import RADIUS, following, irises
from worker.faces.lids import STEPS, Atlas
from worker.faces.shutting import shut_eyes

AVATARS = ("layla", "omar", "sara")
SHIFT = 2.05
"""Radii of the iris that it moves for an eyeball turned by 90 degrees, as the painter has it."""


class Eyes:
    """One face's lids, from its own shut eyes and from another's."""

    def __init__(self, avatar: str) -> None:
        self.picture, self.points = photos.portrait(avatar), photos.points(avatar)
        self.iris = irises(photos.seen(avatar).mesh)
        shut = photos.frame(avatar, "blink")
        measured = lids.atlas(self.picture, shut, self.points, lids.along_lashes(shut, photos.stored(avatar, "blink")))
        lender = donors.read(HOME / "avatars" / AVATARS[AVATARS.index(avatar) - 1])
        shut, shut_at = shut_eyes(self.picture, self.points, lender.lids)
        drawn = lids.atlas(self.picture, shut, self.points, shut_at)
        self.kinds = {"measured": measured, "drawn": drawn}


@pytest.fixture(scope="module", params=AVATARS)
def eyes(request: pytest.FixtureRequest) -> Eyes:
    return Eyes(request.param)


@pytest.fixture(params=["measured", "drawn"])
def atlas(request: pytest.FixtureRequest, eyes: Eyes) -> Atlas:
    return eyes.kinds[request.param]


def test_open_eyes_are_the_portraits(eyes: Eyes, atlas: Atlas) -> None:
    for (left, top), pictures in zip(atlas.at, atlas.pictures, strict=True):
        area = eyes.picture[top : top + pictures.shape[1], left : left + pictures.shape[2]]
        np.testing.assert_array_equal(pictures[0], area)
        rim = np.ones(area.shape[:2], bool)
        rim[1:-1, 1:-1] = False
        assert np.abs(pictures[:, rim].astype(int) - area[rim]).max() <= 1


def test_the_opening_closes_step_by_step_and_ends_shut(atlas: Atlas) -> None:
    open_by = np.clip(atlas.openings[:, :, 1] - atlas.openings[:, :, 0], 0, None).sum(axis=2)
    assert (np.diff(open_by, axis=1) < 0).all()
    assert (open_by[:, -1] < 0.02 * open_by[:, 0]).all()
    # No step is a jump: none closes more than a quarter.
    assert (np.diff(open_by, axis=1) > -0.25 * open_by[:, :1]).all()


def test_between_half_closed_lids_the_eyeball_is_the_open_eyes(atlas: Atlas) -> None:
    """Nothing shines through: no lid is half transparent."""
    rows = np.arange(atlas.pictures.shape[2], dtype=np.float32)[:, None]
    step = STEPS // 2
    for pictures, openings in zip(atlas.pictures.astype(int), atlas.openings, strict=True):
        wide = float(np.ptp(np.flatnonzero(openings[0, 1] - openings[0, 0] > 1)))
        upper, lower = openings[step]
        clear = (rows > upper + 0.22 * wide) & (rows < lower - 1.5)
        clear |= (rows > upper + 0.10 * wide) & (rows < np.minimum(lower, upper + 0.16 * wide) - 1.5)
        if clear.sum() > 20:
            shade = pictures[step][clear].mean() / pictures[0][clear].mean()
            assert 0.6 < shade < 1.08


def test_shut_lids_hide_iris_and_white(eyes: Eyes, atlas: Atlas) -> None:
    for eye, pictures in enumerate(atlas.pictures.astype(float)):
        x, y, radius = eyes.iris[eye] - (*atlas.at[eye], 0)
        disc = np.hypot(*np.ogrid[-y : pictures.shape[1] - y, -x : pictures.shape[2] - x]) < 0.6 * radius
        skin, lid = np.median(pictures[0].reshape(-1, 3), axis=0), np.median(pictures[-1][disc], axis=0)
        assert pictures[0][disc].mean() < 0.6 * skin.mean()
        assert 0.72 * skin.mean() < lid.mean() < 1.35 * skin.mean()
        # As coloured as skin; the white of an eye is grey.
        assert lid[0] - lid[2] > 0.6 * (skin[0] - skin[2])


def test_the_iris_follows_and_the_lids_stay(eyes: Eyes, atlas: Atlas) -> None:
    weights = following(atlas, eyes.iris).astype(float) / 255
    rows = np.arange(weights.shape[2], dtype=np.float32)[:, None]
    for eye, (steps, openings) in enumerate(zip(weights, atlas.openings, strict=True)):
        x, y, radius = eyes.iris[eye] - (*atlas.at[eye], 0)
        far = np.hypot(*np.ogrid[-y : steps.shape[1] - y, -x : steps.shape[2] - x])
        clear = (rows > openings[0, 0] + 6) & (rows < openings[0, 1] - 6)
        assert steps[0][(far < radius) & clear].min() > 0.95
        for weight, (upper, lower) in zip(steps, openings, strict=True):
            assert weight[(rows < upper) | (rows > lower)].max() == 0
        assert steps[-1].max() == 0


@pytest.mark.parametrize(("gx", "gy"), [(-6, 0), (6, 0), (0, -4), (0, 4), (6, 4)])
def test_a_glance_tears_nothing(eyes: Eyes, gx: float, gy: float) -> None:
    """The place that each pixel shows goes on in the same order from left to right and downwards."""
    weights = following(eyes.kinds["measured"], eyes.iris).astype(np.float32) / 255
    for eye, steps in enumerate(weights):
        dx, dy = (SHIFT * eyes.iris[eye, 2] * np.sin(np.radians(angle)) for angle in (gx, gy))
        for weight in steps:
            assert (1 - np.diff(weight, axis=1) * dx).min() > 0.05
            assert (1 - np.diff(weight, axis=0) * dy).min() > 0.05


@pytest.mark.parametrize(("gx", "gy"), [(-6, 0), (6, 0), (0, -4), (0, 4)])
def test_a_glance_moves_the_iris_by_what_it_should(eyes: Eyes, gx: float, gy: float) -> None:
    atlas = eyes.kinds["measured"]
    weights = following(atlas, eyes.iris)[:, 0].astype(np.float32) / 255
    for eye, (picture, weight) in enumerate(zip(atlas.pictures[:, 0], weights, strict=True)):
        x, _, radius = eyes.iris[eye] - (*atlas.at[eye], 0)
        meant = SHIFT * radius * np.sin(np.radians([gx, gy]))
        moved = looking(picture, weight, meant)
        # The middle of what is seen of the iris, between the lids.
        upper, lower = atlas.openings[eye, 0][:, round(x)]
        left, top, half = round(x - 0.6 * radius), round((upper + lower) / 2), round(0.6 * radius)
        part = picture[top - half // 2 : top + half // 2, left : left + 2 * half]
        found = cv2.minMaxLoc(cv2.matchTemplate(moved, part, cv2.TM_SQDIFF))[2]
        shift = np.array(found) - (left, top - half // 2)
        np.testing.assert_allclose(shift, meant, atol=0.8)


def looking(picture: photos.Image, weight: NDArray[np.float32], shift: NDArray[np.float64]) -> photos.Image:
    columns, rows = np.meshgrid(np.arange(weight.shape[1]), np.arange(weight.shape[0]))
    x, y = (columns - weight * shift[0]).astype(np.float32), (rows - weight * shift[1]).astype(np.float32)
    return cv2.remap(picture, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE).astype(np.uint8)


@pytest.mark.parametrize("wrong", ["huge", "tiny", "outside"])
def test_irises_stay_within_what_eyes_have(wrong: str) -> None:
    mesh = photos.seen("sara").mesh.copy()
    middles = mesh[[each[0] for each in lm.IRISES], :2]
    for (middle, *rim), at in zip(lm.IRISES, middles, strict=True):
        if wrong == "outside":
            mesh[[middle, *rim], 0] += 200
        else:
            mesh[rim, :2] = at + (mesh[rim, :2] - at) * (3 if wrong == "huge" else 0.2)
    found = irises(mesh)
    wide = float(np.ptp(mesh[[33, 133], 0]))
    assert found[0, 2] == found[1, 2]
    assert RADIUS[0] * 0.95 < found[0, 2] / wide < RADIUS[1] * 1.05
    for (x, y, _), upper in zip(found, lm.EYE_UPPER, strict=True):
        assert mesh[list(upper), 0].min() < x < mesh[list(upper), 0].max()
        assert abs(y - mesh[list(upper), 1].mean()) < 0.3 * wide


@pytest.mark.parametrize("avatar", AVATARS)
def test_a_spectacles_frame_stays_while_the_lids_move(avatar: str) -> None:
    bare, at = photos.portrait(avatar), photos.points(avatar)
    worn = photos.with_spectacles(bare, at)
    frame = np.abs(worn.astype(int) - bare).max(axis=2) > 60
    mask = spectacles.before(worn, at)
    eyes = slice(int(at[list(lm.EYE_UPPER[0]), 1].min()) - 10, int(at[list(lm.EYE_LOWER[0]), 1].max()) + 10)
    side = slice(int(at[33, 0]) - 25, int(at[133, 0]) + 25)
    assert (mask[eyes, side] > 0)[frame[eyes, side]].mean() > 0.85
    without = spectacles.without(worn, mask)
    shut = shut_eyes(without, at, donors.read(HOME / "avatars" / "sara").lids)
    atlas = spectacles.kept(lids.atlas(without, shut[0], at, shut[1]), worn, mask)
    for (left, top), pictures in zip(atlas.at, atlas.pictures.astype(int), strict=True):
        part = np.s_[top : top + pictures.shape[1], left : left + pictures.shape[2]]
        core = cv2.erode((frame[part] & (mask[part] > 0)).astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
        assert core.sum() > 200
        assert np.abs(pictures[:, core] - worn[part][core]).max() < 25


@pytest.mark.parametrize("avatar", AVATARS)
def test_bare_eyes_have_nothing_before_them(avatar: str) -> None:
    at, mask = photos.points(avatar), spectacles.before(photos.portrait(avatar), photos.points(avatar))
    for upper, lower in zip(lm.EYE_UPPER, lm.EYE_LOWER, strict=True):
        low, high = at[list(upper + lower)].min(axis=0).astype(int), at[list(upper + lower)].max(axis=0).astype(int)
        assert mask[low[1] : high[1], low[0] : high[0]].mean() < 0.02
