"""The head's grids: what turns, how far in front it lies, and what stays."""

from __future__ import annotations

from functools import cache
from itertools import product

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from core.settings import HOME
from tests import photos
from worker.faces import head, matte
from worker.faces import landmarks as lm
from worker.faces import rig as rigs

AVATARS = ("layla", "omar", "sara")
EXTREMES = tuple(product((-8.0, 0.0, 8.0), repeat=3))
"""Yaw, pitch and roll, in degrees: more than the puppet ever turns."""
LARGEST_RIG = 700_000
"""Bytes: rigs are kept in git."""


@cache
def measured(avatar: str, side: int = 1024) -> tuple[head.Head, lm.Mesh, matte.Alpha]:
    mesh, alpha = photos.seen(avatar, side / 1024).mesh, photos.outline(avatar, side)
    return head.measured((side, side), mesh, alpha), mesh, alpha


def shifted(found: head.Head, yaw: float, pitch: float, roll: float, breath: float) -> NDArray[np.float64]:
    """(rows, columns, 2): where the painter moves the nodes, in pixels."""
    rows, columns = found.depth.shape
    nodes = np.stack(np.meshgrid(np.arange(columns), np.arange(rows)), axis=-1) * found.spacing
    arm = np.dstack([nodes - found.pivot, found.depth.astype(float)])
    (a, b, c), (s, t, u) = np.cos(np.radians([yaw, pitch, roll])), np.sin(np.radians([yaw, pitch, roll]))
    turn = np.array([[c, -u, 0], [u, c, 0], [0, 0, 1]]) @ [[1, 0, 0], [0, b, t], [0, -t, b]]
    turn = turn @ [[a, 0, s], [0, 1, 0], [-s, 0, a]]
    moved = (arm @ turn.T - arm)[..., :2] * found.follow.astype(float)[..., None]
    return np.asarray(moved + breath * found.breath.astype(float))


def at(grid: NDArray[np.float16], found: head.Head, point: NDArray[np.float32]) -> float:
    column, row = (np.full((1, 1), each / found.spacing, np.float32) for each in point[:2])
    return float(cv2.remap(grid.astype(np.float32), column, row, cv2.INTER_LINEAR)[0, 0])


@pytest.mark.parametrize("avatar", AVATARS)
@pytest.mark.parametrize("side", [512, 1024])
def test_the_rim_never_moves(avatar: str, side: int) -> None:
    found, _, _ = measured(avatar, side)
    rows, columns = found.depth.shape
    moved = np.abs(np.stack([shifted(found, *turn, 1.0) for turn in EXTREMES])).max(axis=(0, 3)).astype(np.float32)
    places = np.arange(side, dtype=np.float32) / np.float32(found.spacing)
    assert places[-1] <= min(rows, columns) - 1
    whole = cv2.remap(moved, *np.meshgrid(places, places), cv2.INTER_LINEAR)
    rim = round(24 * side / 1024)
    whole[rim:-rim, rim:-rim] = 0
    assert whole.max() == 0


@pytest.mark.parametrize("avatar", AVATARS)
def test_nothing_folds_or_tears(avatar: str) -> None:
    found, _, _ = measured(avatar)
    for turn in EXTREMES:
        moved = shifted(found, *turn, 1.0) / found.spacing
        across, down = np.diff(moved, axis=1)[:-1], np.diff(moved, axis=0)[:, :-1]
        area = (1 + across[..., 0]) * (1 + down[..., 1]) - across[..., 1] * down[..., 0]
        assert area.min() > 0.25, turn
        assert area.max() < 2.2, turn


@pytest.mark.parametrize("avatar", AVATARS)
def test_the_relief_is_smooth_and_the_face_s_own(avatar: str) -> None:
    found, mesh, _ = measured(avatar)
    half = float(np.ptp(mesh[list(lm.CHEEKS), 0])) / 2
    nose, forehead, chin = (at(found.depth, found, mesh[point]) / half for point in (lm.NOSE, lm.FOREHEAD, lm.CHIN))
    assert 1.0 < nose < 1.7
    assert forehead < nose
    assert 0.3 < chin < nose
    for cheek in lm.CHEEKS:
        assert at(found.depth, found, mesh[cheek]) / half == pytest.approx(0.2, abs=0.3)
    slopes = np.gradient(found.depth.astype(float), found.spacing)
    assert max(np.abs(slope).max() for slope in slopes) < 3.5
    assert found.depth.min() > -0.5 * half


@pytest.mark.parametrize("avatar", AVATARS)
def test_hair_and_scarf_go_with_the_head_and_the_shoulders_stay(avatar: str) -> None:
    found, mesh, alpha = measured(avatar)
    nodes = alpha[:: int(found.spacing), :: int(found.spacing)]
    follow = found.follow[: nodes.shape[0], : nodes.shape[1]].astype(float)
    y = np.arange(nodes.shape[0]) * found.spacing
    chin, forehead = mesh[lm.CHIN, 1], mesh[lm.FOREHEAD, 1]
    above = (y < forehead + 0.6 * (chin - forehead)) & (y > 80)
    assert follow[above][nodes[above] > 128].min() > 0.9
    assert follow[above][nodes[above] == 255].mean() > 0.99
    assert follow[y > chin + 0.65 * (chin - forehead)].max() < 0.002
    assert np.abs(np.diff(follow, axis=0)[nodes[1:] > 128]).max() < 0.25


@pytest.mark.parametrize("avatar", AVATARS)
def test_a_breath_lifts_the_shoulders_and_carries_the_head(avatar: str) -> None:
    found, mesh, _ = measured(avatar)
    across, lift = found.breath[..., 0].astype(float), -found.breath[..., 1].astype(float)
    assert lift.min() >= 0
    assert 4 < lift.max() <= 6
    assert at(-found.breath[..., 1], found, mesh[lm.NOSE]) == pytest.approx(1.5, abs=0.1)
    middle = round(float(found.pivot[0]) / found.spacing)
    assert across[:, : middle - 1].max() <= 0.01
    assert across[:, middle + 2 :].min() >= -0.01
    assert 0.5 < across.max() < 3


def test_a_smaller_portrait_has_the_same_grids_in_its_own_pixels() -> None:
    large, small = measured("omar", 1024)[0], measured("omar", 512)[0]
    assert small.depth.shape == large.depth.shape
    assert small.spacing == large.spacing / 2
    np.testing.assert_allclose(small.pivot * 2, large.pivot, atol=1)
    np.testing.assert_allclose(small.depth.astype(float) * 2, large.depth.astype(float), atol=6)
    np.testing.assert_allclose(small.follow.astype(float), large.follow.astype(float), atol=0.12)


@pytest.mark.parametrize("person", [0, 255], ids=["nobody", "everything"])
def test_any_outline_gives_grids_that_can_be_used(person: int) -> None:
    mesh = photos.seen("sara").mesh
    found = head.measured((1024, 1024), mesh, np.full((1024, 1024), person, np.uint8))
    moved = np.stack([shifted(found, *turn, 1.0) for turn in EXTREMES])
    assert np.isfinite(moved).all()
    assert np.abs(moved).max() < 120
    assert moved[:, 0].max() == 0 == moved[:, :, 0].max()


@pytest.mark.parametrize("avatar", AVATARS)
def test_the_shipped_rig_holds_them(avatar: str) -> None:
    path = HOME / "avatars" / avatar / "rig.npz"
    found, _, alpha = measured(avatar)
    rig = rigs.load(path)
    assert path.stat().st_size <= LARGEST_RIG
    np.testing.assert_allclose(rig.alpha.astype(int), alpha, atol=2)
    np.testing.assert_allclose(rig.depth.astype(float), found.depth.astype(float), atol=0.5)
    np.testing.assert_allclose(rig.follow.astype(float), found.follow.astype(float), atol=0.01)
