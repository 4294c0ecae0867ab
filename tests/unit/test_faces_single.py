"""A rig from the portrait alone, against the one that was measured on frames."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from core.errors import VideoError
from core.settings import HOME
from tests import photos
from worker.engines.video.base import Canvas, Frame
from worker.engines.video.puppet.drawing.painter import Painter
from worker.engines.video.puppet.pose import NEUTRAL, Pose, pose
from worker.faces import donor as donors
from worker.faces import landmarks as lm
from worker.faces import rig as rigs
from worker.faces.closing import closed
from worker.faces.opening import said
from worker.faces.rig import Rig
from worker.faces.single import GAIN, rig_of
from worker.faces.teeth import upper_row

AVATARS = ("layla", "omar", "sara")
CANVAS = Canvas(512, 512)
A, I, U, M = pose(jaw=0.68, wide=0.1), pose(jaw=0.13, wide=0.5), pose(jaw=0.11, round=0.95), pose(press=0.75)  # noqa: E741
SHUT = pose(lids=1.0)


@lru_cache
def lender(avatar: str) -> donors.Donor:
    """The nearest of the other two."""
    others = [donors.read(HOME / "avatars" / other) for other in AVATARS if other != avatar]
    return min(others, key=lambda each: float(np.abs(each.rest - photos.points(avatar)).mean()))


@lru_cache
def alone(avatar: str) -> Rig:
    """The rig from the portrait alone."""
    return rig_of(photos.portrait(avatar), photos.seen(avatar), lender(avatar))


class Pair:
    """The same face with the rig from its frames and with that from its portrait alone."""

    def __init__(self, avatar: str) -> None:
        self.avatar, self.picture, self.points = avatar, photos.portrait(avatar), photos.points(avatar)
        self.measured = rigs.load(HOME / "avatars" / avatar / "rig.npz")
        self.alone = alone(avatar)
        self._painters = [Painter(rig, self.picture, CANVAS) for rig in (self.measured, self.alone)]

    def draw(self, shown: Pose) -> tuple[Frame, Frame]:
        one, other = (painter.draw(shown).rgb() for painter in self._painters)
        return one, other


@pytest.fixture(scope="module", params=AVATARS)
def pair(request: pytest.FixtureRequest) -> Pair:
    return Pair(request.param)


def area(points: lm.Points, which: tuple[int, ...], margin: float) -> tuple[slice, slice]:
    """Of the canvas, about some landmarks."""
    low, high = points[list(which)].min(axis=0) / 2, points[list(which)].max(axis=0) / 2
    room = margin * (high[0] - low[0])
    return np.s_[int(low[1] - room) : int(high[1] + room), int(low[0] - room) : int(high[0] + room)]


def difference(one: Frame, other: Frame, where: tuple[slice, slice]) -> float:
    return float(np.abs(one[where].astype(int) - other[where]).mean())


def test_at_rest_it_is_the_photo(pair: Pair) -> None:
    measured, alone = pair.draw(NEUTRAL)
    np.testing.assert_allclose(alone, measured, atol=2)


@pytest.mark.parametrize("shown", [A, I, U, M], ids=["a", "i", "u", "m"])
def test_the_mouth_moves_much_as_the_measured_one(pair: Pair, shown: Pose) -> None:
    mouth = area(pair.points, (*lm.LIP_UPPER_OUTER, *lm.LIP_LOWER_OUTER, lm.CHIN), 0.2)
    measured, alone = pair.draw(shown)
    still = pair.draw(NEUTRAL)[1]
    assert difference(alone, measured, mouth) < 11
    assert difference(alone, measured, mouth) < 0.8 * difference(alone, still, mouth) + 1


@pytest.mark.parametrize("eye", [0, 1])
def test_eyes_shut_much_as_the_measured_ones(pair: Pair, eye: int) -> None:
    where = area(pair.points, (*lm.EYE_UPPER[eye], *lm.EYE_LOWER[eye]), 0.1)
    measured, alone = pair.draw(SHUT)
    still = pair.draw(NEUTRAL)[1]
    assert difference(alone, measured, where) < 0.45 * difference(alone, still, where)
    # Neither iris nor white is left: the lids lie within the range of the skin about them.
    about = area(pair.points, (*lm.EYE_UPPER[eye], *lm.EYE_LOWER[eye]), 0.35)
    assert alone[where].mean(axis=2).std() < 1.3 * measured[about].mean(axis=2).std()


def test_lids_come_down_step_by_step(pair: Pair) -> None:
    lids = pair.alone.lids.astype(int)
    open_eye = np.abs(lids - lids[:, :1]).mean(axis=(2, 3, 4))
    assert (np.diff(open_eye, axis=1) > 0).all()


def steepest(rig: Rig) -> NDArray[np.float32]:
    """(sides, muscles): the greatest change between neighbours on the grid, over their distance."""
    fields = np.stack([rig.upper, rig.lower]).astype(np.float32)
    slopes = [np.abs(np.diff(fields, axis=axis)).max(axis=(2, 3, 4)) for axis in (2, 3)]
    return np.maximum(*slopes) / float(rig.spacing)


def test_nothing_bends_more_than_in_the_measured_rig(pair: Pair) -> None:
    assert (steepest(pair.alone) < 1.6 * steepest(pair.measured) + 0.1).all()


@pytest.mark.parametrize("avatar", AVATARS)
def test_dark_skin_keeps_its_colour_and_gets_teeth_in_its_light(avatar: str) -> None:
    dark = rig_of(photos.dark_skinned(photos.portrait(avatar)), photos.seen(avatar), lender(avatar))
    teeth = [float(rig.teeth_upper[..., :3].max()) for rig in (dark, alone(avatar))]
    assert GAIN[0] - 0.05 < teeth[0] / teeth[1] < 0.85
    lid = dark.lids[0, -1].astype(int)
    rim = np.concatenate([lid[:4].reshape(-1, 3), lid[-4:].reshape(-1, 3)])
    assert np.abs(np.median(lid.reshape(-1, 3), axis=0) - np.median(rim, axis=0)).max() < 25


@pytest.mark.parametrize("scale", [0.6, 1.4])
def test_it_works_at_any_size_of_the_face(scale: float) -> None:
    side = round(1024 * scale)
    rig: Rig = rig_of(photos.resized(photos.portrait("omar"), side), photos.seen("omar", scale), lender("omar"))
    usual = alone("omar")
    assert rig.mouth_half == pytest.approx(scale * usual.mouth_half, rel=0.05)
    assert float(rig.jaw_travel) == pytest.approx(scale * float(usual.jaw_travel), rel=0.08)


def test_the_nearest_face_lends() -> None:
    for avatar in AVATARS:
        found = donors.nearest(HOME / "avatars", 1.3 * photos.points(avatar) + 40)
        np.testing.assert_allclose(found.rest, photos.points(avatar), atol=4)


def test_without_a_lender_it_says_so(tmp_path: Path) -> None:
    with pytest.raises(VideoError, match="borrow"):
        donors.nearest(tmp_path, photos.points("omar"))


def test_the_light_of_an_eye_is_read_from_its_white() -> None:
    white: NDArray[np.float32] = donors.eye_white(photos.portrait("sara"), photos.points("sara"))
    dim = donors.eye_white((photos.portrait("sara") * 0.5).astype(np.uint8), photos.points("sara"))
    assert (white > 140).all()
    np.testing.assert_allclose(dim / white, 0.5, atol=0.02)


def test_a_face_in_grey_stays_grey() -> None:
    grey = cv2.cvtColor(cv2.cvtColor(photos.portrait("sara"), cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB).astype(np.uint8)
    rig = rig_of(grey, photos.seen("sara"), lender("sara"))
    assert np.abs(np.ptp(rig.lids.astype(int), axis=-1)).max() < 25
    assert np.ptp(rig.teeth_upper[..., :3].astype(int), axis=-1).max() == 0
    assert np.ptp(rig.tongue) == 0


def all_teeth(avatar: str) -> tuple[photos.Image, lm.Points, float]:
    """A smile that shows nothing but upper teeth: the frame's opening filled with the row it shows."""
    picture, points = photos.frame(avatar, "teeth"), photos.stored(avatar, "teeth")
    rig = rigs.load(HOME / "avatars" / avatar / "rig.npz")
    inner = said(picture.shape[:2], points) > 0
    row = np.where(inner[..., None], np.array([226, 216, 200]), picture).astype(np.uint8)
    gaps = (np.arange(picture.shape[1]) % 24 == 0)[None] & inner
    row[gaps] = (150, 130, 115)
    return row, points, rig.mouth_half


@pytest.mark.parametrize("avatar", AVATARS)
def test_ones_own_upper_teeth_are_kept_where_a_smile_shows_nothing_else(avatar: str) -> None:
    picture, points, half = all_teeth(avatar)
    found = upper_row(picture, points, half)
    assert found is not None
    (left, top), plate = found
    seen = said(picture.shape[:2], points)[top : top + plate.shape[0], left : left + plate.shape[1]] > 0
    whole = cv2.erode(seen.astype(np.uint8), np.ones((9, 9), np.uint8)) > 0
    assert (plate[whole][:, 3] > 200).mean() > 0.8
    shown = plate[(plate[..., 3] == 255) & whole][:, :3].astype(int)
    np.testing.assert_allclose(np.median(shown, axis=0), (226, 216, 200), atol=8)


@pytest.mark.parametrize("name", ["teeth", "aa"])
@pytest.mark.parametrize("avatar", AVATARS)
def test_a_mouth_that_shows_more_than_upper_teeth_borrows_them(avatar: str, name: str) -> None:
    half = rigs.load(HOME / "avatars" / avatar / "rig.npz").mouth_half
    assert upper_row(photos.frame(avatar, name), photos.stored(avatar, name), half) is None


@pytest.mark.parametrize(("avatar", "name"), [*((avatar, "teeth") for avatar in AVATARS), ("layla", "aa")])
def test_a_closed_smile_shows_neither_teeth_nor_the_mouths_depth(avatar: str, name: str) -> None:
    picture, points = photos.frame(avatar, name), photos.stored(avatar, name)
    found = closed(picture, points, lender(avatar))
    upper, lower = (found.points[list(rim[1:-1])] for rim in (lm.LIP_UPPER_INNER, lm.LIP_LOWER_INNER))
    np.testing.assert_allclose(upper, lower)
    # Where the opening was, there is now what lips and skin are made of.
    before = said(picture.shape[:2], points) > 0
    lips = np.median(picture[(said(picture.shape[:2], points) == 0) & _lips(points, picture)], axis=0).mean()
    light = found.picture[before].mean(axis=1)
    assert (light < 0.45 * lips).mean() < 0.06
    red = found.picture[before].astype(int)
    assert ((red[:, 0] - red[:, 2]) < 0.12 * red[:, 0]).mean() < 0.05
    # Beyond the lower face nothing has changed.
    brows = int(points[list(lm.BROWS[0]), 1].max())
    np.testing.assert_array_equal(found.picture[:brows], picture[:brows])


def _lips(points: lm.Points, picture: photos.Image) -> NDArray[np.bool_]:
    mask = np.zeros(picture.shape[:2], np.uint8)
    rim = points[[*lm.LIP_UPPER_OUTER, *lm.LIP_LOWER_OUTER[::-1]]]
    cv2.fillPoly(mask, [np.rint(rim).astype(np.int32)], 1)
    return mask > 0
