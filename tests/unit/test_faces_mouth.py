"""What a face's mouth is made of: the opening of a frame, its teeth, the fields about the corners, the interior."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from worker.engines.video.puppet.drawing.interior import Interior, Shade
from worker.engines.video.puppet.pose import NEUTRAL, Pose, pose
from worker.faces import landmarks as lm
from worker.faces.build import read_frame, read_picture
from worker.faces.light import as_enamel, eye_white
from worker.faces.mouth import settled
from worker.faces.muscles import Mouth, is_lower
from worker.faces.opening import opening, refined
from worker.faces.rig import MUSCLES, Rig, load
from worker.faces.teeth import plates

AVATARS = Path(__file__).parents[2] / "avatars"
LIPS, INSIDE, TOOTH = (190, 110, 100), (30, 10, 10), (205, 200, 190)
HALF, MIDDLE = 60.0, (100.0, 80.0)


@pytest.fixture(scope="module", params=["layla", "omar", "sara"])
def folder(request: pytest.FixtureRequest) -> Path:
    return AVATARS / str(request.param)


@pytest.fixture(scope="module")
def rig(folder: Path) -> Rig:
    return load(folder / "rig.npz")


def frame(folder: Path, name: str) -> tuple[NDArray[np.uint8], lm.Points]:
    rest = read_picture(folder / "portrait.png")
    return read_frame(folder / "frames", name, rest), lm.read(folder / "frames" / "landmarks.npz")[name]


def lips(gap: float) -> lm.Points:
    """468 landmarks, of which the lips' are where an open mouth has them; the inner lips are `gap` apart."""
    points = np.zeros((lm.COUNT, 2), np.float32)
    for places, tall in (
        (lm.LIP_UPPER_OUTER, -0.35 * HALF - gap / 2),
        (lm.LIP_LOWER_OUTER, 0.4 * HALF + gap / 2),
        (lm.LIP_UPPER_INNER, -gap / 2),
        (lm.LIP_LOWER_INNER, gap / 2),
    ):
        inner = 0.85 if places in (lm.LIP_UPPER_INNER, lm.LIP_LOWER_INNER) else 1.0
        u = np.linspace(-1, 1, len(places))
        points[list(places)] = np.stack([MIDDLE[0] + inner * HALF * u, MIDDLE[1] + tall * (1 - u**2)], axis=1)
    return points


def open_mouth(gap: float) -> NDArray[np.uint8]:
    """Lips, and an opening `gap` tall with a row of teeth in it."""
    picture = np.full((160, 200, 3), (205, 165, 145), np.uint8)
    points = lips(gap)
    for upper, lower, colour in (
        (lm.LIP_UPPER_OUTER, lm.LIP_LOWER_OUTER, LIPS),
        (lm.LIP_UPPER_INNER, lm.LIP_LOWER_INNER, INSIDE),
    ):
        rim = np.concatenate([points[list(upper)], points[list(lower[::-1])]])
        cv2.fillPoly(picture, [np.rint(rim).astype(np.int32)], colour)
    row = picture[round(MIDDLE[1]) - 4 : round(MIDDLE[1]) + 3]
    row[(row == INSIDE).all(axis=2)] = TOOTH
    return picture


@pytest.mark.parametrize("gap", [16.0, 30.0, 44.0])
@pytest.mark.parametrize("error", [-3.0, 0.0, 3.0])
def test_the_inner_lips_are_found_where_the_picture_shows_them(gap: float, error: float) -> None:
    said = lips(gap + 2 * error)
    found = refined(open_mouth(gap), said)
    assert abs(found[14, 1] - found[13, 1] - gap) <= 2.5


def test_a_picture_without_an_opening_leaves_the_landmarks_as_they_are() -> None:
    flat = np.full((160, 200, 3), LIPS, np.uint8)
    np.testing.assert_allclose(refined(flat, lips(30))[[13, 14]], lips(30)[[13, 14]], atol=1.0)


def test_the_opening_of_a_frame_is_its_teeth_and_its_depth(folder: Path) -> None:
    picture, points = frame(folder, "aa")
    inside = opening(picture, points) > 0
    rim = cv2.dilate(inside.astype(np.uint8), np.ones((9, 9), np.uint8)) > inside
    red = (picture[..., 0].astype(int) - picture[..., 2]) / np.maximum(picture[..., 0], 1)
    assert picture[inside].mean() < 0.7 * picture[rim].mean()
    assert np.median(red[rim]) > 0.2


def test_settled_lips_meet_on_the_seam() -> None:
    line = np.stack([np.arange(40, 161), np.full(121, 82)], axis=1).astype(np.float32)
    shut = settled(lips(6), line)
    np.testing.assert_array_equal(shut[list(lm.LIP_UPPER_INNER), 1], 82)
    np.testing.assert_array_equal(shut[list(lm.LIP_LOWER_INNER), 1], 82)
    np.testing.assert_array_equal(shut[[0, 17]], lips(6)[[0, 17]])


def test_a_lip_s_points_are_known_by_name_however_thin_it_is() -> None:
    """All of the lower lip lies above the seam here, all of the upper one below."""
    seam = np.array([[40, 80], [160, 80]], np.float32)
    points = np.full((lm.COUNT, 2), 75, np.float32)
    points[[13, 0, 12]] = 85
    below = is_lower(points, Mouth(seam))
    assert not below[[13, 0, 12]].any()
    assert below[[14, 17, 15, 16]].all()


def test_teeth_are_two_whole_rows(folder: Path, rig: Rig) -> None:
    picture, points = frame(folder, "teeth")
    half = rig.mouth_half
    _, upper, lower = plates(picture, points, half)
    across = [plate[:, (plate[..., 3] > 250).any(axis=0), 3] for plate in (upper, lower)]
    assert across[0].shape[1] > 1.2 * half
    assert across[1].shape[1] > 0.8 * half
    for plate in (upper, lower):
        assert (plate[..., :3] <= plate[..., 3:]).all()
    middle = points[13, 0] - rig.teeth_at[0]
    front = np.s_[:, round(middle - 0.3 * half) : round(middle + 0.3 * half), 3]
    solid = upper[front] > 250
    assert (np.diff(solid.astype(int), axis=0) <= 0).all()
    edge = solid.sum(axis=0).max()
    assert 0 < np.argmax(lower[front].max(axis=1) > 250) - edge + 2 < 0.4 * half


def test_front_teeth_are_bright_and_warm(folder: Path, rig: Rig) -> None:
    """As bright as the frame shows them, within a fifth, and warmer than the eyes' whites."""
    picture, points = frame(folder, "teeth")
    rest, at_rest = read_picture(folder / "portrait.png"), lm.read(folder / "frames" / "landmarks.npz")["rest"]
    shown = picture[opening(picture, points) > 0].mean(axis=1)
    drawn = rig.teeth_upper[..., :3][rig.teeth_upper[..., 3] > 250]
    assert np.percentile(drawn.mean(axis=1), 80) > 0.8 * np.percentile(shown, 95)
    bright, white = drawn[drawn[:, 2] > np.percentile(drawn[:, 2], 90)].mean(axis=0), eye_white(rest, at_rest)
    assert 0.75 < bright[2] / bright[0] < white[2] / white[0]
    assert bright.mean() == pytest.approx(white.mean(), rel=0.12)


def test_enamel_is_brightest_in_the_middle_and_never_more_than_white() -> None:
    plate = np.full((10, 101, 4), 255, np.uint8)
    plate[..., :3] = 170
    plate[:2] = 0
    lit = as_enamel(plate, plate, field(180, 165, 150)).astype(int)
    assert (lit[:2] == 0).all()
    assert (lit[5, 50, :3] > lit[5, [0, 100], :3]).all()
    assert lit[5, 50, 0] > lit[5, 50, 1] > lit[5, 50, 2]
    assert as_enamel(np.full((2, 9, 4), 255, np.uint8), plate, field(255, 255, 255)).max() == 255


@pytest.mark.parametrize("muscle", MUSCLES)
def test_the_skin_does_not_tear_beyond_the_corners(rig: Rig, muscle: str) -> None:
    place = MUSCLES.index(muscle)
    x = rig.origin[0] + rig.spacing * np.arange(rig.upper.shape[2])
    beyond = np.abs(x - rig.seam[:, 0].mean()) > 0.95 * rig.mouth_half
    np.testing.assert_array_equal(rig.upper[place][:, beyond], rig.lower[place][:, beyond])


def shade(shown: Pose, rig: Rig) -> Shade:
    return Interior(rig, 1.0).shade(shown)


def field(*values: float) -> NDArray[np.float32]:
    return np.array(values, np.float32)


def test_the_lower_teeth_go_with_the_jaw_and_the_upper_stay(rig: Rig) -> None:
    interior = Interior(rig, 0.5)
    shut, dropped = interior.layers(NEUTRAL), interior.layers(pose(jaw=1.0))
    assert dropped[-1][1:] == shut[-1][1:]
    assert dropped[2].dy - shut[2].dy == pytest.approx(0.5 * float(rig.jaw_travel), rel=1e-4)
    assert dropped[1].dy > shut[1].dy


def test_the_tongue_rises_and_its_tip_shows_when_asked(rig: Rig) -> None:
    interior = Interior(rig, 1.0)
    low, high = interior.layers(pose(jaw=0.3)), interior.layers(pose(jaw=0.3, tongue=1.0))
    assert high[1].dy < low[1].dy
    assert len(interior.layers(pose(jaw=0.3, tip=1.0))) == len(low) + 1


def test_the_light_is_least_under_the_lip_and_at_the_corners(rig: Rig) -> None:
    light = shade(pose(jaw=0.5), rig).factor(field(0, 0, 0.95), field(0, 20, 20), field(20, 20, 20))
    assert light[1] > light[0]
    assert light[1] > light[2]
    assert 0.9 <= light[1] <= 1.0


def test_the_lips_flesh_closes_the_corners_and_what_is_nearly_shut(rig: Rig) -> None:
    open_wide = shade(pose(jaw=0.8), rig).amount(field(0, 1.0, 0), field(12, 12, 0.3), field(12, 12, 0.3))
    np.testing.assert_allclose(open_wide, [0, 1, 0.7], atol=0.01)


def test_a_rounded_opening_is_narrower_and_darker(rig: Rig) -> None:
    flat, rounded = shade(pose(jaw=0.3), rig), shade(pose(jaw=0.3, round=1.0), rig)
    assert rounded.right - rounded.left < 0.75 * (flat.right - flat.left)
    assert rounded.full < flat.full
    assert rounded.gain < flat.gain
    place = (field(0.6), field(3), field(9))
    assert rounded.amount(*place) > flat.amount(*place)


def test_a_grin_moves_the_corners_apart(rig: Rig) -> None:
    flat, grin = shade(NEUTRAL, rig), shade(replace(NEUTRAL, muscles=pose(wide=1.0).muscles), rig)
    assert grin.left < flat.left
    assert grin.right > flat.right


def test_pressed_lips_lap_over_each_other(rig: Rig) -> None:
    """By a thirtieth of the mouth's half width at full pull; pouted ones too."""
    middle = rig.seam[len(rig.seam) // 2]
    column, row = np.rint((middle - rig.origin) / rig.spacing).astype(int)
    apart = (rig.lower - rig.upper).astype(np.float32)[:, row, column, 1] / rig.mouth_half
    pressed, pouted = apart[MUSCLES.index("press")], apart[MUSCLES.index("round")]
    assert -0.1 < pressed < -0.03
    assert 0.75 * pressed + 0.95 * pouted < -0.02


@pytest.mark.parametrize(("muscle", "inner", "outer"), [("brow", 0.28, 0.12), ("worry", 0.22, -0.02)])
def test_brows_go_up_and_what_is_about_them_stays(
    rig: Rig, folder: Path, muscle: str, inner: float, outer: float
) -> None:
    """Half widths of the mouth: 0.28 are 7 mm. The hair's line and the lower lids hardly move."""
    points = lm.read(folder / "frames" / "landmarks.npz")["rest"]
    up = -rig.upper[MUSCLES.index(muscle), ..., 1].astype(np.float32) / rig.mouth_half

    def at(*places: int) -> NDArray[np.float32]:
        column, row = np.rint((points[list(places)] - rig.origin) / rig.spacing).astype(int).T
        return up[row, column]

    assert (at(107, 336) > inner - 0.06).all()
    assert (at(70, 300) > outer).all()
    assert np.abs(at(lm.FOREHEAD, 145, 374)).max() < 0.05
