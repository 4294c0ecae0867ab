"""MuseTalk without its networks: where it looks, which frame of the film is shown, and what it keeps."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from contextlib import nullcontext, suppress
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.catalogue import Avatar
from core.errors import VideoError
from core.weights.folder import keep_record
from worker.engines.base import Place as Machine
from worker.engines.video.base import Canvas
from worker.engines.video.colour import levels, luma_chroma
from worker.engines.video.musetalk import MuseTalk
from worker.engines.video.musetalk.boxes import BRIDGE, CONTOUR, box_about, box_of
from worker.engines.video.musetalk.clip import Ground, joined
from worker.engines.video.musetalk.ground import Film, Fit, read_film
from worker.engines.video.musetalk.keeping import MOST, Keeper, fingerprint
from worker.engines.video.musetalk.playing import Playing
from worker.engines.video.musetalk.preparing import Prepared, prepared
from worker.engines.video.planes import planes_of
from worker.faces.crops import Box, cut
from worker.faces.landmarks import COUNT
from worker.faces.tracking import Found, Tracker
from worker.media import Mp4Writer

# boxes


@pytest.mark.parametrize(
    ("left", "right", "lowest", "bridge", "box"),
    [
        (100, 300, 340, 230, (100, 120, 300, 350)),  # 2 x 230 - 340 = 120; 340 + 10
        (100, 300, 340, 100, (100, 0, 300, 353.6)),  # 2 x 100 - 340 < 0; 340 + 0.04 x 340
        (-20, 300, 505, 300, (0, 95, 300, 512)),  # held within the picture
    ],
)
def test_the_box_is_about_the_nose(left: int, right: int, lowest: int, bridge: int, box: tuple[float, ...]) -> None:
    outline = np.array([[left, 200], [200, lowest], [right, 200]], np.float32)
    assert box_about(outline, bridge, (512, 512)) == pytest.approx(box)


def mesh(x: float = 256, y: float = 230, wide: float = 100) -> np.ndarray:
    """Of a face whose nose is at x, y: only what boxes and masks look at is where it belongs."""
    points = np.full((COUNT, 2), (x, y), np.float32)
    angles = np.linspace(np.pi, 0, len(CONTOUR))
    points[list(CONTOUR)] = np.column_stack([x + wide * np.cos(angles), y + 1.1 * wide * np.sin(angles)])
    points[BRIDGE] = (x, y)
    return points


def test_the_mesh_gives_the_box() -> None:
    assert box_of(mesh(), (512, 512)) == pytest.approx((156, 120, 356, 350))  # 230 ± 110, and 10 below


# which frame is shown


def shown(film: int, *known: int) -> list[int]:
    """known: how many frames the speech is known to have, as it comes; 12 fewer are shown before more is known."""
    playing, numbers = Playing(film), list[int]()
    for end in known:
        playing.plan(end - len(numbers))
        numbers += [playing.next() for _ in range(max(0, end - 12 - len(numbers)))]
    playing.plan(known[-1] - len(numbers))
    return numbers + [playing.next() for _ in range(known[-1] - len(numbers))]


@pytest.mark.parametrize(
    ("film", "known", "numbers"),
    [
        (10, (1,), [0]),
        (10, (2,), [0, 0]),  # there and back is an even number of moves: one frame stays
        (10, (5,), [0, 1, 2, 1, 0]),
        (10, (11,), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0]),
        (10, (13,), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 1, 0]),
        (1, (4,), [0, 0, 0, 0]),
        (2, (4,), [0, 1, 0, 0]),
    ],
)
def test_it_starts_and_ends_at_rest(film: int, known: tuple[int, ...], numbers: list[int]) -> None:
    assert shown(film, *known) == numbers


@given(film=st.integers(1, 160), pieces=st.lists(st.integers(0, 200), min_size=1, max_size=8))
def test_it_moves_by_single_frames_and_comes_back(film: int, pieces: list[int]) -> None:
    ends = np.cumsum(pieces)
    ends[-1] = max(1, ends[-1])
    numbers = shown(film, *(int(end) for end in ends))
    assert len(numbers) == ends[-1]
    assert numbers[0] == 0
    steps = [(b - a) % film for a, b in pairwise(numbers)]
    assert all(step in (0, 1 % film, film - 1) for step in steps)
    if pieces[-1] >= film:
        assert numbers[-1] == 0, "the last piece is long enough to come back from anywhere"


@given(pieces=st.lists(st.integers(25, 200), min_size=1, max_size=8))
def test_whole_sentences_end_at_rest(pieces: list[int]) -> None:
    """A second at least, each: the film is planned to be at rest where each ends."""
    assert shown(150, *(int(end) for end in np.cumsum(pieces)))[-1] == 0


# the film


@pytest.mark.parametrize(
    ("film", "canvas", "size", "left", "top"),
    [
        ((512, 512), (512, 512), (512, 512), 0, 0),
        ((768, 768), (512, 512), (512, 512), 0, 0),
        ((768, 768), (360, 640), (640, 640), 140, 0),
        ((768, 768), (640, 360), (640, 640), 0, 140),
        ((720, 1280), (90, 160), (90, 160), 0, 0),
    ],
)
def test_how_a_film_fills_the_canvas(
    film: tuple[int, int], canvas: tuple[int, int], size: tuple[int, int], left: int, top: int
) -> None:
    fit = Fit.fill(film, canvas)
    assert (fit.size, fit.left, fit.top) == (size, left, top)
    middle = fit.points(np.array([film[0] / 2, film[1] / 2], np.float32), film)
    assert middle == pytest.approx((canvas[0] / 2, canvas[1] / 2))


def write_film(path: Path, frames: int = 12, width: int = 160, height: int = 160) -> Path:
    """Stripes that move."""
    writer = Mp4Writer(path, width, height, 25, None)
    across = np.arange(width)
    for number in range(frames):
        wave = 128 + 90 * np.sin((across + 2 * number) / 9)
        writer.add_frame(np.repeat(np.tile(wave, (height, 1))[..., None], 3, axis=2).astype(np.uint8))
    writer.close()
    return path


def test_a_film_is_read_as_it_is(tmp_path: Path) -> None:
    path = write_film(tmp_path / "film.mp4")
    film = read_film(path, 160, 160)
    with av.open(str(path)) as container:
        frames = [frame.to_ndarray(format="gray8") for frame in container.decode(video=0)]
    assert len(film) == len(frames) == 12
    assert film.copy(5).y.shape == (160, 160)
    first = film.copy(5)
    first.y[:] = 0
    assert film.copy(5).y.any(), "each is the caller's own"


@pytest.mark.parametrize(("width", "height"), [(96, 96), (90, 160), (160, 90), (320, 320)])
def test_a_film_of_another_shape_fills_the_canvas(tmp_path: Path, width: int, height: int) -> None:
    film = read_film(write_film(tmp_path / "film.mp4", 2), width, height)
    planes = film.copy(1)
    assert planes.y.shape == (height, width)
    assert planes.u.shape == planes.v.shape == (height // 2, width // 2)


@pytest.mark.parametrize("content", [b"", b"not a film", None])
def test_what_is_no_film_is_told(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "film.mp4"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(VideoError):
        read_film(path, 96, 96)


def test_a_film_that_is_cut_off_is_told_or_shorter(tmp_path: Path) -> None:
    path = write_film(tmp_path / "film.mp4", 60)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 3])
    with suppress(VideoError):
        assert len(read_film(path, 96, 96)) < 60


# what is prepared


def still(frames: int, value: int = 120) -> Film:
    picture = np.full((512, 512, 3), value, np.uint8)
    picture[::16] = 200
    planes = planes_of(picture)
    return Film([(planes.y, planes.u, planes.v)] * frames, (512, 512), (512, 512))


def seen(faces: np.ndarray) -> np.ndarray:
    """In place of latents: the faces' first rows, so that the order shows."""
    return np.repeat(faces[:, :1, :8, :1].transpose(0, 3, 1, 2), 8, axis=1).astype(np.float32)


def made(frames: int = 20, lost: tuple[int, ...] = ()) -> tuple[Film, Prepared]:
    points = np.stack([mesh(256 + 2 * np.sin(2 * np.pi * number / frames)) for number in range(frames)])
    points[list(lost)] = np.nan
    film = still(frames)
    return film, prepared(film, Found(points, (512, 512)), 64, seen, lambda share: None)


def test_every_row_has_every_frame() -> None:
    film, ready = made(lost=(3, 4, 19))
    assert len(film) == len(ready.boxes) == len(ready.corners) == len(ready.alphas) == len(ready.latents) == 20
    assert np.isfinite(ready.boxes).all()
    np.testing.assert_allclose(ready.boxes[:, 0], made()[1].boxes[:, 0], atol=0.7)  # the nearest face, smoothed
    assert (ready.corners % 2 == 0).all()
    assert all(side % 2 == 0 for side in ready.alphas.shape[1:])
    assert ready.alphas.max(axis=(1, 2)).min() == 255


def test_the_watch_is_called_and_may_end_it() -> None:
    shares: list[float] = []

    def watch(share: float) -> None:
        shares.append(share)
        if len(shares) == 2:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        prepared(still(20), Found(np.stack([mesh()] * 20), (512, 512)), 64, seen, watch)
    assert len(shares) == 2


def test_other_frames_than_the_film_s_are_told() -> None:
    with pytest.raises(VideoError, match="20 frames, of which 19"):
        prepared(still(20), Found(np.stack([mesh()] * 19), (512, 512)), 64, seen, lambda share: None)


@pytest.mark.parametrize(("y", "told"), [(230, False), (20, False), (-90, True), (480, True)])
def test_a_face_that_the_canvas_cuts_off_is_told(y: float, told: bool) -> None:
    found = Found(np.stack([mesh(y=y)] * 3), (512, 512))
    with pytest.raises(VideoError, match="too little of the face") if told else nullcontext():
        prepared(still(3), found, 64, seen, lambda share: None)


def test_a_face_that_was_not_redrawn_can_not_be_seen() -> None:
    film, ready = made()
    ground = Ground(film, ready)
    before = film.copy(7)
    after = joined(ground, 7, cut(before.rgb(), ready.box(7), 256))
    assert np.abs(before.y.astype(int) - after.y).mean() < 0.5
    white = joined(ground, 7, np.full((256, 256, 3), 255, np.uint8))
    place, mask = ready.place(7), ready.alphas[7]
    rows, columns = slice(place.top, place.top + place.height), slice(place.left, place.left + place.width)
    assert (white.y[rows, columns][mask == 255] == 235).all(), "white of limited range"
    outside = np.ones((512, 512), bool)
    outside[rows, columns] = mask == 0
    np.testing.assert_array_equal(white.y[outside], before.y[outside])
    unweighted = joined(ground, 7, np.full((256, 256, 3), 255, np.uint8), weight=0.0)
    for one, other in ((unweighted.y, before.y), (unweighted.u, before.u), (unweighted.v, before.v)):
        np.testing.assert_array_equal(one, other)


def test_the_quick_way_to_the_encoder_s_colours() -> None:
    rgb = np.random.default_rng(3).integers(0, 256, (40, 40, 3), np.uint8)
    luma, chroma = luma_chroma(rgb.astype(np.float32))
    np.testing.assert_allclose(levels(rgb), np.dstack([luma, chroma]), atol=0.7)


# what is kept


def test_what_was_prepared_comes_back(tmp_path: Path) -> None:
    film, ready = made()
    Keeper(tmp_path / "layla").save("abc", ready)
    again = Keeper(tmp_path / "layla").load("abc", film)
    assert again is not None
    for name in ("boxes", "corners", "alphas", "latents"):
        np.testing.assert_array_equal(getattr(again, name), getattr(ready, name))
    assert Keeper(tmp_path / "omar").load("abc", film) is None
    assert Keeper(tmp_path / "layla").load("other", film) is None
    assert not list(tmp_path.rglob(".*")), "nothing that is under way is left"


def broken(ready: Prepared) -> Iterator[tuple[str, Prepared | bytes]]:
    yield "empty", b""
    yield "no archive", b"PK\x03\x04 or so"
    yield "of a shorter film", replace(ready, boxes=ready.boxes[:-1])
    yield "of another type", replace(ready, boxes=ready.boxes.astype(np.float64))
    yield "no numbers", replace(ready, latents=ready.latents * np.float32(np.nan))
    yield "beyond the picture", replace(ready, corners=ready.corners + 400)
    yield "objects", replace(ready, boxes=np.array([None] * 20))


@pytest.mark.parametrize("place", range(7))
def test_a_broken_file_is_as_good_as_none(tmp_path: Path, place: int) -> None:
    film, ready = made()
    what, content = list(broken(ready))[place]
    keeper = Keeper(tmp_path / "layla")
    if isinstance(content, bytes):
        keeper.save("abc", ready)
        (tmp_path / "layla/musetalk-abc.npz").write_bytes(content)
    else:
        keeper.save("abc", content)
    assert keeper.load("abc", film) is None, what


def test_the_newest_stay(tmp_path: Path) -> None:
    _, ready = made()
    keeper = Keeper(tmp_path / "layla")
    for number in range(MOST + 2):
        keeper.save(f"{number}", ready)
        os.utime(tmp_path / f"layla/musetalk-{number}.npz", (number, number))
    (tmp_path / "layla/idle.npz").touch()
    keeper.save("7", ready)
    left = {path.name for path in tmp_path.rglob("*.npz")}
    assert left == {"idle.npz", *(f"musetalk-{number}.npz" for number in range(2, MOST + 2))}


def test_a_disk_that_takes_nothing_costs_no_answer(tmp_path: Path) -> None:
    (tmp_path / "layla").write_text("a file where a folder should be")
    film, ready = made()
    keeper = Keeper(tmp_path / "layla")
    keeper.save("abc", ready)
    assert keeper.load("abc", film) is None


def test_without_a_folder_nothing_is_kept() -> None:
    film, ready = made()
    keeper = Keeper(None)
    keeper.save("abc", ready)
    keeper.remember_faceless()
    assert keeper.load("abc", film) is None
    assert not keeper.faceless


def test_the_fingerprint_is_of_film_size_and_weights(tmp_path: Path) -> None:
    film, weights = write_film(tmp_path / "film.mp4"), tmp_path / "weights"
    weights.mkdir()
    keep_record(weights, "one")
    keys = [fingerprint(film, (96, 96), 256, weights), fingerprint(film, (96, 98), 256, weights)]
    keys.append(fingerprint(film, (96, 96), 64, weights))
    keep_record(weights, "two")
    keys.append(fingerprint(film, (96, 96), 256, weights))
    write_film(film, 13)
    keys.append(fingerprint(film, (96, 96), 256, weights))
    assert len(set(keys)) == 5
    assert keys[-1] == fingerprint(film, (96, 96), 256, weights)


# the search for the face


def test_a_film_without_a_face_is_told(tmp_path: Path) -> None:
    with pytest.raises(VideoError, match="no face") as caught:
        Tracker().track(write_film(tmp_path / "film.mp4", 3))
    assert caught.value.permanent


def test_what_is_no_film_is_told_by_the_search(tmp_path: Path) -> None:
    (tmp_path / "film.mp4").write_bytes(b"nothing of the kind")
    with pytest.raises(VideoError, match="ended with 5"):
        Tracker().track(tmp_path / "film.mp4")


def test_the_search_can_be_ended(tmp_path: Path) -> None:
    tracker, film = Tracker(), write_film(tmp_path / "film.mp4")
    tracker.stop()  # nothing is under way, and the next search is not hindered

    def end() -> None:
        while tracker._process is None:
            time.sleep(0.01)
        tracker.stop()

    ending = threading.Thread(target=end)
    ending.start()
    with pytest.raises(VideoError, match="ended with -9"):
        tracker.track(film)
    ending.join()


# the engine without its networks


def avatar(folder: Path) -> Avatar:
    folder.mkdir()
    for name in ("portrait.png", "rig.npz"):
        (folder / name).write_bytes(name.encode())
    return Avatar("someone", {"en": "Someone"}, "someone", folder)


def test_which_avatars_it_refuses(tmp_path: Path) -> None:
    known = avatar(tmp_path / "someone")
    nowhere = MuseTalk.at(Machine(models=tmp_path, data=tmp_path))
    assert "no film" in (nowhere.refuses(known) or "")
    engine = MuseTalk.at(Machine(models=tmp_path, data=tmp_path, ground=lambda who, canvas: tmp_path / "film.mp4"))
    assert engine.refuses(known) is None
    assert "portrait.png is missing" in (engine.refuses(replace(known, folder=tmp_path)) or "")


def test_its_sizes_and_rates() -> None:
    engine = MuseTalk.at(Machine())
    for canvas in (Canvas(96, 96, 24), Canvas(720, 1280, 30)):
        assert engine.size(canvas) == (canvas.width, canvas.height)
        assert engine.rate(canvas) == 25
    assert engine.needs.gpu_mb == 0
    assert MuseTalk.at(Machine(device="cuda:0")).needs.gpu_mb == 4096


def test_a_box_is_a_box() -> None:
    assert made()[1].box(0) == pytest.approx(Box(156, 120, 356, 350), abs=2.5)
