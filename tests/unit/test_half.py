"""Half a body in its square, and what is kept of an avatar's."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from core.catalogue import Avatar, Catalogue
from core.errors import ModelMissing, NotFound, VideoError
from core.settings import HOME
from tests import halves as pictures
from worker.faces import half, halves
from worker.faces import landmarks as lm
from worker.faces.half import Half, Lacking, half_of, has_room
from worker.faces.hands import POINTS, Sight
from worker.surroundings import bare

SIDE = 800


def face(x: float = 400, brows: float = 130, chin: float = 260) -> NDArray[np.float32]:
    """A mesh of which only the middle, the brows and the chin are told."""
    mesh = np.full((lm.MESH_COUNT, 3), (x, (brows + chin) / 2, 0), np.float32)
    mesh[[point for brow in lm.BROWS for point in brow], 1] = brows
    mesh[lm.CHIN, 1] = chin
    return mesh


def hand(x: float, y: float, span: float = 90) -> NDArray[np.float32]:
    """Points in a square about (x, y)."""
    along = np.linspace(-0.5, 0.5, POINTS)
    return np.stack([x + span * along, y + span * along[::-1]], axis=1).astype(np.float32)


def sight(*hands: NDArray[np.float32], mesh: Any = None, faces: int = 1, wrists: Any = ()) -> Sight:
    seen = face() if mesh is None else mesh
    return Sight(
        faces,
        seen,
        np.asarray(hands, np.float32).reshape(-1, POINTS, 2),
        np.asarray(wrists, np.float32).reshape(-1, 3),
    )


RIGHT, LEFT = hand(560, 650), hand(240, 650)


@pytest.mark.parametrize(
    ("seen", "width", "height", "square"),
    [
        (sight(RIGHT, LEFT), 800, 800, (0, 0, 800)),  # it is placed already
        # The face is 130 high: 130 / 0.165 = 788; x 400 - 394, y 130 - 0.16 x 788 = 3.9
        (sight(RIGHT, LEFT), 800, 900, (6, 4, 788)),
        (sight(RIGHT, LEFT), 1600, 900, (6, 4, 788)),
        # Hands lower than that: (770 - 130) / (1 - 0.16 - 0.015) = 775.8, still 788; down to 815: 830.3
        (sight(hand(560, 725), LEFT), 801, 900, (6, 4, 788)),
        (sight(hand(560, 770), LEFT), 801, 1000, (-15, -3, 830)),
        # A phone's upright picture: the square is wider than it
        (sight(hand(460, 650), hand(140, 650), mesh=face(300)), 600, 900, (-94, 4, 788)),
        # It ends below: (760 - 130) / 0.84 = 750
        (sight(RIGHT, LEFT), 801, 760, (25, 10, 750)),
    ],
)
def test_the_face_places_the_square(seen: Sight, width: int, height: int, square: tuple[int, int, int]) -> None:
    found = half_of(seen, width, height)
    assert found.square == square
    left, top, side = square
    whole = found.hands * side + np.array([left, top])
    np.testing.assert_allclose(whole, seen.hands, atol=1e-3)
    assert found.hands.min() > 0
    assert found.hands.max() < 1


def test_the_viewers_right_hand_comes_first() -> None:
    for order in ((RIGHT, LEFT), (LEFT, RIGHT)):
        found = half_of(sight(*order), SIDE, SIDE)
        assert found.hands[0, :, 0].mean() > found.hands[1, :, 0].mean()


NO_MESH = np.zeros((0, 3), np.float32)


@pytest.mark.parametrize(
    ("reason", "seen", "size"),
    [
        ("no_face", sight(RIGHT, LEFT, mesh=NO_MESH, faces=0), (800, 800)),
        ("no_face", sight(RIGHT, LEFT, mesh=NO_MESH, faces=1), (800, 800)),
        ("several_faces", sight(RIGHT, LEFT, faces=2), (800, 800)),
        ("no_hands", sight(), (800, 800)),
        ("no_hands", sight(RIGHT), (800, 800)),
        ("no_hands", sight(RIGHT, wrists=[(560, 700, 1), (240, 700, 0.2)]), (800, 800)),  # behind the back
        ("hands_cut", sight(RIGHT, wrists=[(560, 700, 1), (-20, 820, 0.6)]), (800, 800)),
        ("hands_cut", sight(RIGHT, hand(30, 650)), (800, 800)),
        ("hands_cut", sight(RIGHT, hand(240, 770)), (800, 800)),
        ("no_hands", sight(RIGHT, hand(240, 650, 12)), (800, 800)),  # a hand of the size of an ear
        ("no_hands", sight(RIGHT, hand(240, 400, 400)), (900, 900)),  # larger than two faces
        ("half_far", sight(hand(1100, 650), LEFT), (1600, 1000)),
        ("half_far", sight(hand(560, 1200), LEFT), (800, 1400)),
        ("half_near", sight(RIGHT, LEFT, mesh=face(chin=330)), (801, 800)),
        ("half_near", sight(RIGHT, hand(240, 730)), (801, 780)),
        ("half_near", sight(hand(430, 650), hand(110, 650), mesh=face(150)), (600, 900)),
        ("half_small", sight(hand(280, 325, 45), hand(120, 325, 45), mesh=face(200, 65, 130)), (400, 400)),
    ],
)
def test_what_is_lacking_is_told(reason: str, seen: Sight, size: tuple[int, int]) -> None:
    with pytest.raises(Lacking) as caught:
        half_of(seen, *size)
    assert caught.value.reason == reason
    assert reason in half.REASONS


@pytest.mark.parametrize(
    ("mesh", "size", "room"),
    [
        (face(), (800, 800), True),
        (face(), (800, 1200), True),
        (face(512, 350, 700), (1024, 1024), False),  # head and shoulders
        (face(200, 65, 115), (1000, 1000), False),  # somebody far away
        (face(60), (800, 900), False),  # at the rim
    ],
)
def test_head_and_shoulders_are_told_at_once(mesh: Any, size: tuple[int, int], room: bool) -> None:
    assert has_room(mesh, *size) is room


@pytest.mark.parametrize("square", [(0, 0, 768), (-94, 4, 788), (100, 100, 500)])
@pytest.mark.parametrize("side", [768, 64])
def test_the_picture_is_square_whatever_it_is_cut_from(square: tuple[int, int, int], side: int) -> None:
    rgb = np.random.default_rng(1).integers(0, 255, (900, 768, 3)).astype(np.uint8)
    shown = Half(square, np.zeros((2, POINTS, 2), np.float32)).picture(rgb, side)
    assert shown.shape == (side, side, 3)
    assert shown.dtype == np.uint8
    assert shown.flags.c_contiguous
    if square == (0, 0, 768) and side == 768:
        np.testing.assert_array_equal(shown, rgb[:768])


@pytest.fixture
def avatar(tmp_path: Path) -> Avatar:
    return pictures.with_half(Catalogue(HOME).avatar("omar"), tmp_path / "avatars" / "omar")


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How often the detectors were asked; they see two hands."""
    asked: list[int] = []

    def look(rgb: NDArray[np.uint8]) -> Half | str:
        asked.append(len(rgb))
        return half_of(sight(RIGHT, LEFT), SIDE, SIDE)

    monkeypatch.setattr(halves, "seen_in", look)
    return asked


def test_the_detectors_are_asked_once(avatar: Avatar, seen: list[int], tmp_path: Path) -> None:
    first = halves.Halves(tmp_path)
    assert first.lack(avatar) is None
    body = first.body(avatar)
    assert body.picture.shape == (768, 768, 3)
    again = halves.Halves(tmp_path)  # another process
    assert again.lack(avatar) is None
    np.testing.assert_array_equal(again.body(avatar, 64).hands, body.hands)
    assert len(seen) == 1
    assert [path.name for path in (tmp_path / "half" / "omar").iterdir()] == [f"{body.fingerprint}.npz"]


def test_without_a_folder_they_are_asked_once_a_process(avatar: Avatar, seen: list[int]) -> None:
    found = halves.Halves(None)
    assert found.lack(avatar) is None
    found.body(avatar)
    assert len(seen) == 1


@pytest.mark.parametrize("spoilt", [b"", b"hello", b"PK\x03\x04", None])
def test_what_is_kept_and_spoilt_is_worked_out_anew(
    avatar: Avatar, seen: list[int], tmp_path: Path, spoilt: bytes | None
) -> None:
    halves.Halves(tmp_path).body(avatar)
    [kept] = (tmp_path / "half" / "omar").iterdir()
    if spoilt is None:
        with kept.open("wb") as file:
            np.savez(file, reason="", square=(1, 2), hands=np.zeros((2, 3)))
    else:
        kept.write_bytes(spoilt)
    assert halves.Halves(tmp_path).lack(avatar) is None
    assert len(seen) == 2
    assert halves.Halves(tmp_path).lack(avatar) is None
    assert len(seen) == 2


def test_another_picture_is_looked_at_and_the_old_find_goes(avatar: Avatar, seen: list[int], tmp_path: Path) -> None:
    found = halves.Halves(tmp_path)
    first = found.body(avatar).fingerprint
    pictures.saved(pictures.handless(), avatar.half)
    second = found.body(avatar).fingerprint
    assert first != second
    assert len(seen) == 2
    assert [path.stem for path in (tmp_path / "half" / "omar").iterdir()] == [second]
    halves.forget(tmp_path, "omar")
    halves.forget(tmp_path, "omar")
    assert list((tmp_path / "half").iterdir()) == []


def test_a_read_only_folder_costs_time_and_no_answer(avatar: Avatar, seen: list[int], tmp_path: Path) -> None:
    (tmp_path / "half").write_text("no folder")
    assert halves.Halves(tmp_path).lack(avatar) is None
    assert halves.Halves(tmp_path).lack(avatar) is None
    assert len(seen) == 2


@pytest.mark.parametrize("reason", half.REASONS)
def test_what_is_of_no_use_is_kept_too_and_told_with_what_to_do(
    avatar: Avatar, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, reason: str
) -> None:
    asked: list[str] = []

    def look(rgb: NDArray[np.uint8]) -> str:
        asked.append(reason)
        return reason

    monkeypatch.setattr(halves, "seen_in", look)
    for _ in range(2):
        lack = halves.Halves(tmp_path).lack(avatar)
        assert lack is not None
        assert half.REASONS[reason] in lack
        assert "smarttalker avatar half omar PICTURE" in lack
    with pytest.raises(VideoError, match="smarttalker avatar half") as caught:
        halves.Halves(tmp_path).body(avatar)
    assert caught.value.permanent
    assert asked == [reason]


def test_an_avatar_without_a_half_body_picture_says_so_at_once(seen: list[int], tmp_path: Path) -> None:
    lack = halves.Halves(tmp_path).lack(Catalogue(HOME).avatar("sara"))
    assert lack is not None
    assert "record a half-body picture: smarttalker avatar half sara PICTURE" in lack
    assert seen == []
    assert not (tmp_path / "half").exists()


def test_a_file_that_is_no_picture_says_so(avatar: Avatar, seen: list[int], tmp_path: Path) -> None:
    avatar.half.write_bytes(b"hello")
    assert "is not a picture" in (halves.Halves(tmp_path).lack(avatar) or "")


def test_a_detector_that_can_not_work_is_told_and_asked_again(
    avatar: Avatar, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    errors = [ModelMissing("mediapipe is not installed"), VideoError("it died"), None]

    def look(rgb: NDArray[np.uint8]) -> str:
        if error := errors.pop(0):
            raise error
        return "no_hands"

    monkeypatch.setattr(halves, "seen_in", look)
    found = halves.Halves(tmp_path)
    assert found.lack(avatar) == "mediapipe is not installed"
    assert found.lack(avatar) == "it died"
    assert "not both hands" in (found.lack(avatar) or "")


def test_what_an_operator_adds_lies_over_what_is_shipped(tmp_path: Path) -> None:
    """A half-body picture in DATA_DIR counts as soon as it is there, for added avatars and for shipped ones."""
    catalogue = Catalogue(tmp_path, HOME)
    shipped = catalogue.avatar("layla")
    assert shipped.half == HOME / "avatars" / "layla" / "half.png"
    assert shipped.folder == HOME / "avatars" / "layla"
    over = tmp_path / "avatars" / "layla"
    over.mkdir(parents=True)
    for name in ("half.png", "poses.npz"):
        (over / name).touch()
    assert (shipped.half, shipped.poses) == (over / "half.png", over / "poses.npz")
    assert catalogue.avatar("layla").half == over / "half.png"
    assert [avatar.id for avatar in catalogue.avatars()] == ["layla", "omar", "sara"]
    (over / "avatar.toml").write_text('name = { en = "Other" }\nvoice = "sara"\n')
    added = Catalogue(tmp_path, HOME).avatar("layla")
    assert (added.folder, added.over, added.half) == (over, (), over / "half.png")


def test_finds_of_no_avatar_are_not_looked_for_on_the_disk(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        halves.forget(tmp_path, "../omar")


def test_a_sight_is_read_as_it_was_written(tmp_path: Path) -> None:
    wrote = sight(RIGHT, LEFT, wrists=[(1, 2, 0.5)])
    wrote.save(tmp_path / "seen.npz")
    read = Sight.load(tmp_path / "seen.npz")
    assert read.faces == 1
    for name in ("mesh", "hands", "wrists"):
        np.testing.assert_array_equal(getattr(read, name), getattr(wrote, name))


def test_detectors_open_no_graphics_driver() -> None:
    """NVIDIA's would take some of the card's memory. Without a driver there is nothing to open."""
    told = (
        "import os; from worker.faces import mesh; mesh.sparing(); print(os.environ['__EGL_VENDOR_LIBRARY_FILENAMES'])"
    )
    drivers = {**bare(), "__EGL_VENDOR_LIBRARY_FILENAMES": "/usr/share/glvnd/egl_vendor.d/10_nvidia.json"}
    done = subprocess.run([sys.executable, "-c", told], capture_output=True, text=True, env=drivers, check=True)
    assert done.stdout.strip() == os.devnull


def test_the_hands_of_these_tests_are_drawn() -> None:
    assert pictures.handless().shape == pictures.half_body().shape == (768, 768, 3)
    assert cv2.absdiff(pictures.handless(), pictures.half_body()).max() > 50
