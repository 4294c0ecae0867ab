"""Hands that move: shipped motions, an avatar's own poses, and the picture of them."""

from __future__ import annotations

import io
import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from core.errors import VideoError
from core.kinds import Tone
from scripts import poses as script
from worker.engines.video.echomimic import gestures, hands, poses
from worker.engines.video.echomimic.gestures import Manner, motions, moved, within
from worker.engines.video.echomimic.poses import Poses, gesturing, own, read_poses, resting, to_and_fro
from worker.faces.hands import POINTS

PALM = np.array(
    [
        (0.0, 0.0), (-0.3, -0.2), (-0.5, -0.4), (-0.7, -0.6), (-0.8, -0.8),
        (-0.3, -0.9), (-0.4, -1.3), (-0.45, -1.5), (-0.5, -1.7), (0.0, -1.0), (0.0, -1.4), (0.0, -1.7), (0.0, -1.9),
        (0.2, -0.9), (0.25, -1.3), (0.3, -1.5), (0.35, -1.7), (0.4, -0.8), (0.5, -1.1), (0.55, -1.25), (0.6, -1.4),
    ],
    np.float32,
)  # fmt: skip
"""An open hand, its fingers up; wrist to the middle finger's knuckle is 1."""
MIRRORED = PALM * np.array([-1, 1], np.float32)


def both(size: float = 0.08, right: tuple[float, float] = (0.7, 0.85), left: tuple[float, float] = (0.3, 0.85)) -> Any:
    """(2, 21, 2), the viewer's right hand first."""
    return np.stack([MIRRORED * size + right, PALM * size + left]).astype(np.float32)


def speeds(path: NDArray[np.float32]) -> NDArray[np.float32]:
    """Of wrists (n, 2, 2), in hundredths of the picture a frame."""
    return np.linalg.norm(np.diff(path, axis=0), axis=-1) * 100


@pytest.mark.parametrize("name", script.KINDS)
def test_the_shipped_motions_are_what_the_script_makes(name: str) -> None:
    made = script.motions()[name].astype(np.float32)
    assert made.shape == motions(name).shape
    np.testing.assert_allclose(made, motions(name), atol=2e-3)  # other versions of numpy round otherwise


@pytest.mark.parametrize(
    ("name", "frames", "variants"), [("calm", 14 * 24, 3), ("lively", 12 * 24, 3), ("rest", 6 * 24, 1)]
)
def test_each_motion_begins_and_ends_at_rest(name: str, frames: int, variants: int) -> None:
    motion = motions(name)
    assert motion.shape == (variants, frames, 2, len(gestures.FIELDS))
    assert np.isfinite(motion).all()
    assert np.abs(motion[:, 0]).max() == 0
    end = motion[:, 0] - motion[:, -1]
    assert np.abs(end).max() < (0.03 if name == "rest" else 1e-6)  # of `rest` the first frame comes behind the last


@pytest.mark.parametrize(("tone", "least", "most"), [(Tone.CALM, 0.2, 3.5), (Tone.LIVELY, 0.5, 8.0)])
def test_hands_move_smoothly_and_more_when_they_are_lively(tone: Tone, least: float, most: float) -> None:
    """Strayed so far in hands' sizes; no jump is larger than a tenth of a hand."""
    shown = gesturing(both(), 300, 64, Manner.of(tone, 1.0), "some words")
    strayed = np.abs(shown.hands[:, :, 0] - shown.hands[0, :, 0]).max() / 0.08
    assert least < strayed < most
    pace = speeds(shown.hands[:, :, 0])
    assert pace.max() < 1.2
    assert np.abs(np.diff(pace, axis=0)).max() < 0.4


@pytest.mark.parametrize("count", [1, 2, 5, 24, 500, 4320])
@pytest.mark.parametrize("tone", [Tone.NEUTRAL, Tone.CHEERFUL])
def test_a_clip_begins_and_ends_with_the_hands_of_the_picture(count: int, tone: Tone) -> None:
    own_hands = both()
    shown = gesturing(own_hands, count, 64, Manner.of(tone, 0.5), "x")
    assert shown.hands.shape == (count, 2, POINTS, 2)
    assert shown.scores.shape == (count, 2, POINTS)
    np.testing.assert_allclose(shown.hands[0], own_hands, atol=1e-6)
    np.testing.assert_allclose(shown.hands[-1], own_hands, atol=1e-6)


def test_what_is_said_chooses_among_the_variants() -> None:
    runs = {seed: gesturing(both(), 200, 64, Manner("lively", 1.0), seed).hands for seed in "abcdefgh"}
    assert len({hands.tobytes() for hands in runs.values()}) == 3
    np.testing.assert_array_equal(runs["a"], gesturing(both(), 200, 64, Manner("lively", 1.0), "a").hands)


def test_more_intensity_moves_them_more() -> None:
    assert [Manner.of(tone, 0.0).name for tone in Tone] == ["calm", "lively", "calm", "calm", "lively"]
    shares = [Manner.of(Tone.LIVELY, intensity).share for intensity in (-1, 0, 0.5, 1, 9)]
    assert shares == [0.6, 0.6, 0.8, 1.0, 1.0]


@pytest.mark.parametrize("count", [1, 24, 100, 144, 240])
def test_resting_hands_join_on_to_themselves(count: int) -> None:
    shown = resting(both(), count, 64).hands
    np.testing.assert_allclose(shown[0], both(), atol=1e-6)
    around = np.concatenate([shown, shown[:1]])
    assert speeds(around[:, :, 0]).max() < 0.12 * max(144 / count, 1)


@pytest.mark.parametrize(
    ("right", "left"),
    [
        ((0.88, 0.85), (0.12, 0.85)),
        ((0.7, 0.985), (0.3, 0.985)),
        ((0.93, 0.5), (0.5, 0.19)),
        ((0.951, 0.5), (0.3, 0.5)),
    ],
)
def test_hands_stay_in_the_picture(right: tuple[float, float], left: tuple[float, float]) -> None:
    own_hands = both(right=right, left=left)
    low, high = min(own_hands.min(), gestures.ROOM), max(own_hands.max(), 1 - gestures.ROOM)
    for motion in motions("lively"):
        shown = moved(own_hands, within(own_hands, motion))
        assert shown.min() >= low - 1e-5
        assert shown.max() <= high + 1e-5


def test_both_hands_mirror_each_other_under_the_same_motion() -> None:
    motion = np.repeat(motions("lively")[0][:, :1], 2, axis=1)
    shown = moved(both(), motion)
    np.testing.assert_allclose(shown[:, 0] * (-1, 1) + (1, 0), shown[:, 1], atol=1e-5)


def test_a_hand_keeps_its_shape_when_only_its_wrist_moves() -> None:
    motion = np.zeros((2, 2, 9), np.float32)
    motion[1, :, :3] = 1.0, -0.5, 0.3
    first, second = moved(both(), motion)
    np.testing.assert_allclose(second[0, 0] - first[0, 0], (0.08, -0.04), atol=0.02)  # a span counts for short hands
    sizes = [np.linalg.norm(hand[1:] - hand[:1], axis=1) for hand in (first[0], second[0])]
    np.testing.assert_allclose(sizes[0], sizes[1], atol=1e-6)


def test_a_bent_finger_comes_nearer_to_the_palm() -> None:
    motion = np.zeros((2, 2, 9), np.float32)
    motion[1, 0, gestures.FIELDS.index("middle")] = 1.0
    first, second = (frame[0] for frame in moved(both(), motion))
    moves = np.linalg.norm(first - second, axis=1)
    assert moves[:10].max() == pytest.approx(0, abs=1e-6)
    assert moves[13:].max() == pytest.approx(0, abs=1e-6)
    tip, wrist = 12, 0
    assert np.linalg.norm(second[tip] - second[wrist]) < 0.95 * np.linalg.norm(first[tip] - first[wrist])


@pytest.mark.parametrize(
    ("length", "count", "places"),
    [
        (1, 3, [0, 0, 0]),
        (2, 5, [0, 1, 0, 1, 0]),
        (3, 9, [0, 1, 2, 1, 0, 1, 2, 1, 0]),
        (4, 3, [0, 1, 2]),
        (5, 0, []),
    ],
)
def test_to_and_fro(length: int, count: int, places: list[int]) -> None:
    assert to_and_fro(length, count).tolist() == places


def test_the_picture_shows_the_hands_alone() -> None:
    """In the places, hues and sizes that the weights were trained with."""
    shown = hands.drawn(both(), np.ones((2, POINTS), np.float32), 768)
    assert shown.shape == (768, 768, 3)
    lit = np.argwhere(shown.any(axis=2)) / 768
    reach = 5 / 768
    places = both()
    assert lit.min(axis=0) == pytest.approx(places.min(axis=(0, 1))[::-1], abs=2 * reach)
    assert lit.max(axis=0) == pytest.approx(places.max(axis=(0, 1))[::-1], abs=2 * reach)
    for x, y in places.reshape(-1, 2):
        np.testing.assert_allclose(shown[int(y * 768), int(x * 768)], (255, 0, 0), atol=1)
    assert hands.BONES[:6] == ((0, 1), (1, 2), (2, 3), (3, 4), (0, 5), (5, 6))
    middle = places[0][[9, 10]].mean(axis=0)  # the tenth of the twenty hues, from red to blue
    colour = shown[int(middle[1] * 768), int(middle[0] * 768)].astype(int)
    np.testing.assert_allclose(colour, np.array(hands.HUES[9])[::-1] * 255, atol=40)


@pytest.mark.parametrize(
    ("point", "score", "seen"),
    [((0.5, 0.5), 1.0, 255), ((0.5, 0.5), 0.5, 127), ((0.5, 0.5), 0.0, 0), ((-0.1, 0.5), 1.0, 0), ((1.2, 0.5), 1.0, 0)],
)
def test_points_are_as_bright_as_they_are_sure(point: tuple[float, float], score: float, seen: int) -> None:
    one = np.full((1, POINTS, 2), point, np.float32)
    shown = hands.drawn(one, np.full((1, POINTS), score), hands.DRAWN)
    assert shown.max() == seen


def test_poses_draw_any_frames_in_any_order() -> None:
    shown = gesturing(both(), 20, 64, Manner("lively", 1.0), "x")
    assert len(shown) == 20
    drawn = shown([7, 3, 7])
    assert drawn.shape == (3, 64, 64, 3)
    np.testing.assert_array_equal(drawn[0], drawn[2])
    np.testing.assert_array_equal(drawn[1], hands.drawn(shown.hands[3], shown.scores[3], 64))
    assert shown([]).shape == (0, 64, 64, 3)


def written(path: Path, **arrays: Any) -> Path:
    with path.open("wb") as file:
        np.savez_compressed(file, **arrays)
    return path


def good(frames: int = 5) -> dict[str, Any]:
    path = np.linspace(0, 0.05, frames, dtype=np.float32)[:, None, None, None]
    return {"hands": both()[None] - path, "scores": np.ones((frames, 2, POINTS), np.float32)}


def test_an_avatars_own_poses_are_played_to_and_fro(tmp_path: Path) -> None:
    kept = good(3)
    shown = own(written(tmp_path / "poses.npz", **kept), 7, 64)
    assert isinstance(shown, Poses)
    np.testing.assert_allclose(shown.hands, kept["hands"][[0, 1, 2, 1, 0, 1, 2]])


def test_poses_that_are_replaced_are_read_again(tmp_path: Path) -> None:
    path = written(tmp_path / "poses.npz", **good(3))
    assert len(read_poses(path)[0]) == 3
    path.unlink()
    assert len(read_poses(written(path, **good(4)))[0]) == 4


class Harmful:
    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (Path("harm-was-done"),)


WRONG: dict[str, tuple[Callable[[Path], object], str]] = {
    "missing": (lambda path: None, "No such file"),
    "empty": (lambda path: path.touch(), "zip"),
    "text": (lambda path: path.write_text("hello"), "zip"),
    "truncated": (lambda path: path.write_bytes(written(path, **good()).read_bytes()[:900]), "zip"),
    "no scores": (lambda path: written(path, hands=good()["hands"]), "scores"),
    "objects": (lambda path: written(path, **(good() | {"hands": np.array([Harmful()], object)})), "pickle|Object"),
    "one hand": (lambda path: written(path, **(good() | {"hands": good()["hands"][:, :1]})), r"\(n, 2, 21, 2\)"),
    "no frames": (lambda path: written(path, **good(0)), "0 frames"),
    "texts": (lambda path: written(path, **(good() | {"scores": np.full((5, 2, POINTS), "x")})), "floats"),
    "not finite": (lambda path: written(path, **(good() | {"hands": good()["hands"] * np.nan})), "finite"),
    "pixels": (lambda path: written(path, **(good() | {"hands": good()["hands"] * 768})), "between -0.5 and 1.5"),
    "scores of 3": (lambda path: written(path, **(good() | {"scores": good()["scores"] * 3})), "between 0.0 and 2.0"),
    "too many": (
        lambda path: written(
            path, hands=np.zeros((20_001, 2, POINTS, 2), np.float16), scores=np.zeros((20_001, 2, POINTS), np.float16)
        ),
        "20001 frames",
    ),
    "a bomb": (lambda path: bomb(path), "too large"),
}


def bomb(path: Path) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as whole:
        whole.writestr("hands.npy", bytes(65 << 20))


@pytest.mark.parametrize("kind", WRONG)
def test_files_that_hold_no_poses_are_refused(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    make, words = WRONG[kind]
    make(tmp_path / "poses.npz")
    with pytest.raises(VideoError, match=words) as caught:
        read_poses(tmp_path / "poses.npz")
    assert caught.value.permanent
    assert not (tmp_path / "harm-was-done").exists()


def table(shift: float = 0.0, **more: Any) -> dict[str, Any]:
    """A frame as upstream's extraction writes it."""
    return {
        "bodies": {"candidate": np.zeros((18, 2)), "subset": np.zeros((1, 18)), "score": np.zeros((1, 18))},
        "hands": both().astype(np.float64) + shift,
        "hands_score": np.full((2, POINTS), 0.9),
        "faces": np.zeros((1, 68, 2)),
        "num": 0,
        "draw_pose_params": [768, 768, 0, 768, 0, 768],
        **more,
    }


def npy(path: Path, value: Any) -> Path:
    np.save(path, value, allow_pickle=True)
    return path


def test_upstreams_folders_become_poses(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for frame in range(11):  # 10.npy comes behind 9.npy
        npy(tmp_path / f"{frame}.npy", table(frame / 1000))
    assert script.main(["convert", str(tmp_path), str(tmp_path / "poses.npz")]) == 0
    found, scores = read_poses(tmp_path / "poses.npz")
    np.testing.assert_allclose(found[:, 0, 0, 0], 0.7 + np.arange(11) / 1000, atol=1e-6)
    assert scores.max() == pytest.approx(0.9)


def test_poses_of_a_narrow_picture_lie_where_it_lay_in_the_square(tmp_path: Path) -> None:
    """768 high, 384 wide, in the middle: x 0.7 of it is 192 + 0.7 x 384 = 460.8 of 768."""
    npy(tmp_path / "0.npy", table(draw_pose_params=[768, 384, 0, 768, 192, 576]))
    found, _ = script.read_folder(tmp_path)
    np.testing.assert_allclose(found[0, 0, 0], (0.6, 0.85), atol=1e-6)


def crooked(value: Any) -> Callable[[Path], object]:
    return lambda path: npy(path, value)


CROOKED: dict[str, Callable[[Path], object]] = {
    "harmful": crooked({"hands": Harmful()}),
    "harmful itself": crooked(Harmful()),
    "a list": crooked([1, 2]),
    "no hands": crooked({"faces": 1}),
    "one hand": crooked(table(hands=np.zeros((1, POINTS, 2)))),
    "hands of texts": crooked(table(hands="hello")),
    "crooked params": crooked(table(draw_pose_params=[1, 2])),
    "a plain array": lambda path: np.save(path, np.zeros(3)),
    "no npy": lambda path: path.write_bytes(b"hello"),
    "a bare pickle": lambda path: path.write_bytes(pickle.dumps(table())),
    "too large": lambda path: path.write_bytes(bytes((1 << 20) + 1)),
    "not finite": crooked(table(hands=both() * np.inf)),
}


@pytest.mark.parametrize("kind", CROOKED)
def test_folders_with_anything_else_are_refused(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "at").mkdir()
    CROOKED[kind](tmp_path / "at" / "0.npy")
    with pytest.raises(ValueError, match=r"."):
        script.read_folder(tmp_path / "at")
    assert not (tmp_path / "harm-was-done").exists()


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="0 frames"):
        script.read_folder(tmp_path)


@pytest.mark.parametrize(
    ("files", "target", "said"),
    [
        ({}, "poses.npz", "holds 0 frames"),
        ({"0.npy": "hello"}, "poses.npz", "0.npy is no pose"),
        ({"1.npy": None}, "nowhere/poses.npz", "nowhere/poses.npz"),
    ],
)
def test_what_can_not_be_converted_is_told_in_a_line(
    files: dict[str, str | None], target: str, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, text in files.items():
        npy(tmp_path / name, table()) if text is None else (tmp_path / name).write_text(text)
    assert script.main(["convert", str(tmp_path), str(tmp_path / target)]) == 1
    told = capsys.readouterr().err
    assert told.startswith("error: ")
    assert said in told
    assert told.count("\n") == 1


def test_the_script_tells_how_it_is_used(capsys: pytest.CaptureFixture[str]) -> None:
    assert script.main(["paint"]) == 2
    assert "convert FOLDER" in capsys.readouterr().err


def test_a_pose_with_nothing_harmful_is_read_whole() -> None:
    file = io.BytesIO()
    pickle.dump({"a": [1, 2.5, "x", np.float64(3), np.arange(3)]}, file)
    file.seek(0)
    read = script._Plain(file).load()
    assert read["a"][:4] == [1, 2.5, "x", 3.0]


def test_manners_are_of_shipped_motions() -> None:
    assert {Manner.of(tone, 1.0).name for tone in Tone} | {"rest"} == set(script.KINDS)
    assert poses.EASE < 24
