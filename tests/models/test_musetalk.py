"""MuseTalk on tiny networks with random weights: the video layer's contract, and what goes wrong."""

from __future__ import annotations

import math
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from bench.models.musetalk import build_all
from core.catalogue import Avatar, Catalogue
from core.errors import Cancelled, ModelMissing, VideoError
from core.idling import half_loop_of
from core.kinds import Tone
from core.weights.folder import keep_record
from tests.halves import with_half
from worker.engines.base import Place
from worker.engines.tts.base import Speech
from worker.engines.video.base import Canvas, Planes
from worker.engines.video.musetalk import MuseTalk
from worker.engines.video.musetalk.clip import Clip, Ground
from worker.engines.video.musetalk.features import BEFORE, WINDOW, Hearing
from worker.engines.video.musetalk.networks import NETWORK, WEIGHTS, Networks
from worker.engines.video.planes import planes_in
from worker.engines.video.puppet import Puppet
from worker.faces.tracking import Tracker
from worker.looping import write_looping
from worker.networks.compiling import _Compiled

pytestmark = pytest.mark.models

ROOT = Path(__file__).parents[2]
RATE = 16_000
SMALL = Canvas(128, 128, 25)
FILM = 12
"""Frames of the film."""

Frames = NDArray[np.uint8]


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_all(tmp_path_factory.mktemp("models"))


@pytest.fixture(scope="module")
def avatar() -> Avatar:
    return Catalogue(ROOT).avatar("layla")


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory, avatar: Avatar) -> Path:
    """Half a second of the avatar that waits."""
    path, puppet = tmp_path_factory.mktemp("grounds") / "idle.mp4", Puppet()
    write_looping(path, islice(puppet.idle(avatar, SMALL), FILM), FILM, 128, 128, 25)
    return path


@pytest.fixture(scope="module")
def place(models: Path, film: Path, tmp_path_factory: pytest.TempPathFactory) -> Place:
    return Place(models=models, data=tmp_path_factory.mktemp("data"), ground=lambda avatar, canvas: film)


@pytest.fixture(scope="module")
def engine(place: Place) -> Iterator[MuseTalk]:
    """One for all tests: whatever it drew before leaves no trace."""
    made = MuseTalk.at(place)
    made.load()
    yield made
    made.unload()


def beside(engine: MuseTalk, place: Place) -> MuseTalk:
    """Another one, that shares what was loaded."""
    made = MuseTalk.at(place)
    made._networks = engine._networks
    return made


def speech(seconds: float, rate: int = RATE) -> Speech:
    """A hum that comes and goes."""
    at = np.arange(round(seconds * rate)) / rate
    sound = 0.3 * np.sin(2 * np.pi * 150 * at) * (1 + np.sin(2 * np.pi * 3 * at)) / 2
    return Speech(sound.astype(np.float32), rate, None)


def luma(planes: Planes) -> Frames:
    return planes.y.copy()


def drawn(engine: MuseTalk, pieces: Sequence[Speech], avatar: Avatar, canvas: Canvas = SMALL) -> Frames:
    return np.stack([luma(planes) for planes in engine.frames(pieces, avatar=avatar, canvas=canvas)])


@pytest.fixture(scope="module")
def usual(engine: MuseTalk, avatar: Avatar) -> Frames:
    """Of 0.4 seconds."""
    return drawn(engine, [speech(0.4)], avatar)


# the layer's contract


@pytest.mark.parametrize(
    ("pieces", "frames"),
    [
        ([], 1),
        ([0.0], 1),
        ([0.001], 1),
        ([0.041], 2),
        ([0.3, 0.0, 0.31], 16),  # 0.61 s x 25 = 15.25
    ],
)
def test_a_frame_for_each_started_25th(engine: MuseTalk, avatar: Avatar, pieces: list[float], frames: int) -> None:
    assert len(drawn(engine, [speech(seconds) for seconds in pieces], avatar)) == frames


def test_frames_are_of_the_promised_size(engine: MuseTalk, avatar: Avatar) -> None:
    """The film's middle fills the canvas, and its face is found there."""
    canvas = Canvas(96, 160, 30)
    assert engine.size(canvas) == (canvas.width, canvas.height)
    frames = [planes.rgb() for planes in engine.frames([speech(0.4, 24_000)], avatar=avatar, canvas=canvas)]
    assert {frame.shape for frame in frames} == {(canvas.height, canvas.width, 3)}
    assert len(frames) == math.ceil(0.4 * engine.rate(canvas))
    assert changed(np.stack(frames)[..., 1], 5).any()


def changed(frames: Frames, number: int) -> NDArray[np.bool_]:
    """Where a frame differs from the first by more than the film ever moves."""
    return np.asarray(np.abs(frames[number].astype(int) - frames[0]) > 40)


def test_it_starts_and_ends_with_the_film_s_rest(usual: Frames, film: Path) -> None:
    with av.open(str(film)) as container:
        neutral = planes_in(next(container.decode(video=0))).y
    np.testing.assert_array_equal(usual[0], neutral)
    np.testing.assert_array_equal(usual[-1], neutral)
    mouth = changed(usual, 5)
    assert mouth.any(), "noise is drawn by random weights"
    rows, columns = (np.flatnonzero(mouth.any(axis=axis)) for axis in (1, 0))
    assert rows.min() >= 50, "the nose is at 57 of 128"
    assert rows.max() <= 87, "the chin at 83"
    assert columns.min() >= 40
    assert columns.max() <= 88


def test_frames_come_while_the_speech_still_does(engine: MuseTalk, avatar: Avatar) -> None:
    """Those of a sentence come before the next one is asked for, but for its last half second."""
    given = 0.0

    def speaking() -> Iterator[Speech]:
        nonlocal given
        for seconds in (0.8, 0.6, 0.6):
            given += seconds
            yield speech(seconds)

    count = 0
    for _ in engine.frames(speaking(), avatar=avatar, canvas=SMALL):
        count += 1
        assert count / 25 <= given + 0.04
        assert given <= count / 25 + 1.2
    assert count == 50


def test_closing_stops_and_the_engine_goes_on(engine: MuseTalk, avatar: Avatar) -> None:
    asked = 0

    def endless() -> Iterator[Speech]:
        nonlocal asked
        while True:
            asked += 1
            yield speech(1)

    frames = engine.frames(endless(), avatar=avatar, canvas=SMALL)
    next(frames)
    frames.close()  # type: ignore[attr-defined]
    with pytest.raises(StopIteration):
        next(frames)
    assert asked == 1
    assert len(drawn(engine, [speech(0.2)], avatar)) == 5


def test_clips_do_not_depend_on_one_another(engine: MuseTalk, avatar: Avatar, usual: Frames) -> None:
    """The same speech gives the same frames, and so it does while another clip is drawn in turns; a tone changes
    nothing."""
    other = engine.frames([speech(0.3), speech(0.2)], avatar=avatar, canvas=SMALL)
    beside = []
    for planes in engine.frames([speech(0.4)], avatar=avatar, canvas=SMALL, tone=Tone.LIVELY, intensity=1.0):
        beside.append(luma(planes))
        next(other, None)
    np.testing.assert_array_equal(usual, np.stack(beside))


def test_load_and_unload_are_idempotent(place: Place, avatar: Avatar) -> None:
    engine = MuseTalk.at(place)
    assert "MuseTalk 1.5 on cpu" in engine.look()
    for _ in range(2):
        engine.unload()
        engine.unload()
        engine.load()
        engine.load()
    assert len(drawn(engine, [speech(0.2)], avatar)) == 5
    engine.unload()


# what it hears


def numbered(layers: int = 1) -> Any:
    """In place of Whisper: a state tells which piece it is of, and its place there."""
    import torch

    heard = 0

    def listen(sound: NDArray[np.float32], count: int) -> Any:
        nonlocal heard
        heard += 1
        states = 1000.0 * heard + torch.arange(count, dtype=torch.float32)
        return states[:, None, None].expand(count, layers, 1)

    return listen


def test_the_states_about_a_frame() -> None:
    hearing = Hearing(numbered())
    hearing.add(speech(0.2))
    windows = hearing.windows(0, 5)[..., 0].tolist()
    assert windows[0] == [0, 0, 0, 0, *range(1000, 1006)], "four before the speech, which is nothing"
    assert windows[2] == [*range(1000, 1010)]
    assert windows[4] == [*range(1004, 1010), 0, 0, 0, 0]


@pytest.mark.parametrize("seconds", [0.333, 0.5, 1.013, 0.0273])
def test_pieces_do_not_drift(seconds: float) -> None:
    """The state of the very moment of a frame is the piece's own, within a state's length."""
    hearing, pieces = Hearing(numbered()), 40
    for _ in range(pieces):
        hearing.add(speech(seconds))
    total = len(speech(seconds).samples) / RATE * pieces
    assert hearing.seconds == pytest.approx(total)
    windows = hearing.windows(0, math.floor(total * 25))[:, BEFORE, 0].numpy()
    for frame, state in enumerate(windows[:-1]):
        piece, place = divmod(int(state), 1000)
        assert ((piece - 1) * total / pieces + place / 50) == pytest.approx(frame / 25, abs=0.0201)


def test_what_is_forgotten_changes_nothing() -> None:
    whole, part = Hearing(numbered()), Hearing(numbered())
    for number in range(30):
        for hearing in (whole, part):
            hearing.add(speech(0.77))
        first = max(0, math.floor((whole.seconds - 1.2) * 25))
        part.forget(first)
        np.testing.assert_array_equal(part.windows(first, first + 10), whole.windows(first, first + 10))
        assert number < 2 or len(part._kept) < 80  # type: ignore[arg-type]


class Quick:
    """In place of networks: states of silence, and grey faces."""

    side, batch = 64, 8

    def states(self, sound: NDArray[np.float32], count: int) -> Any:
        import torch

        return torch.zeros(count, 5, 8)

    def draw(self, latents: NDArray[np.float32], windows: Any) -> Frames:
        assert len(latents) == len(windows) <= self.batch
        return np.full((len(latents), 64, 64, 3), 128, np.uint8)


def test_three_minutes_are_drawn_in_the_memory_of_seconds(engine: MuseTalk, avatar: Avatar) -> None:
    drawn(engine, [], avatar)
    ground: Ground = next(iter(engine._grounds.values()))
    clip = Clip(Quick(), ground)  # type: ignore[arg-type]
    frames = clip.frames(speech(3.01) for _ in range(60))
    held = [len(clip._hearing._kept) for _ in frames]  # type: ignore[arg-type]
    assert len(held) == math.ceil(60 * 3.01 * 25)
    assert max(held) < 50 * (3.01 + 0.5) + 2 * WINDOW + 10, "a sentence's states, and those about its seam"


# what is kept


def kept(place: Place) -> list[Path]:
    assert place.data is not None
    return sorted(place.data.rglob("musetalk-*.npz"))


def test_a_film_is_prepared_once(
    engine: MuseTalk, usual: Frames, place: Place, avatar: Avatar, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = kept(place)

    def refused(tracker: Tracker, film: Path) -> Any:
        raise AssertionError("the face is known")

    monkeypatch.setattr(Tracker, "track", refused)
    np.testing.assert_array_equal(drawn(beside(engine, place), [speech(0.4)], avatar), usual)
    assert kept(place) == files


def test_a_broken_file_is_made_anew(
    engine: MuseTalk, usual: Frames, place: Place, avatar: Avatar, tmp_path: Path
) -> None:
    assert place.data is not None
    shutil.copytree(place.data, tmp_path / "data")
    other = Place(models=place.models, data=tmp_path / "data", ground=place.ground)
    for path in kept(other):
        path.write_bytes(path.read_bytes()[:1000])
    mended, shares = beside(engine, other), list[float]()
    mended.watch = shares.append
    after = drawn(mended, [speech(0.4)], avatar)
    assert np.abs(after.astype(int) - usual).max() <= 1, "the sums are taken in another order"
    assert len(shares) >= FILM / 8, "signs of life while it was prepared"
    assert any(path.stat().st_size > 1000 for path in kept(other))


def test_the_watch_may_end_the_preparation(engine: MuseTalk, place: Place, avatar: Avatar, tmp_path: Path) -> None:
    watched = beside(engine, Place(models=place.models, data=tmp_path, ground=place.ground))

    def cancelled(share: float) -> None:
        raise Cancelled

    watched.watch = cancelled
    with pytest.raises(Cancelled):
        drawn(watched, [], avatar)
    assert not list(tmp_path.rglob("*.npz"))


# what goes wrong


def test_a_film_without_a_face_is_refused_and_remembered(
    engine: MuseTalk, place: Place, avatar: Avatar, tmp_path: Path
) -> None:
    path = tmp_path / "wall.mp4"
    wall = np.full((128, 128, 3), 150, np.uint8)
    write_looping(path, [wall, wall, wall], 3, 128, 128, 25)
    faceless = Place(models=place.models, data=tmp_path, ground=lambda who, canvas: path)
    blind = beside(engine, faceless)
    assert blind.refuses(avatar) is None
    with pytest.raises(VideoError, match="no face") as caught:
        drawn(blind, [], avatar)
    assert caught.value.permanent
    assert "no face" in (MuseTalk.at(faceless).refuses(avatar) or "")
    halved = with_half(avatar, tmp_path / "mine")
    assert "no face" in (MuseTalk.at(faceless).refuses(halved) or "")
    loop = half_loop_of(halved).path(tmp_path)
    loop.parent.mkdir(parents=True)
    loop.touch()
    assert MuseTalk.at(faceless).refuses(halved) is None


@pytest.mark.parametrize("ground", [None, lambda avatar, canvas: Path("/nowhere/idle.mp4")])
def test_no_film_at_all(engine: MuseTalk, place: Place, avatar: Avatar, ground: Any) -> None:
    with pytest.raises(VideoError):
        drawn(beside(engine, Place(models=place.models, ground=ground)), [], avatar)


@contextmanager
def weights(models: Path, folder: Path) -> Iterator[Path]:
    """A copy in which musetalk's files may be changed; its record is made anew."""
    shutil.copytree(models, folder / "models")
    own = folder / "models" / WEIGHTS[0]
    yield own
    keep_record(own, "changed")


def test_a_foreign_checkpoint_is_named_key_by_key(models: Path, tmp_path: Path) -> None:
    import torch

    with weights(models, tmp_path) as own:
        state = torch.load(own / NETWORK, weights_only=True)
        state["somebody.else"] = state.pop("conv_in.weight")
        state["conv_in.bias"] = torch.zeros(7)
        torch.save(state, own / NETWORK)
    with pytest.raises(VideoError) as caught:
        MuseTalk.at(Place(models=tmp_path / "models")).load()
    for part in ("1 missing (conv_in.weight)", "1 not expected (somebody.else)", "conv_in.bias is (7,), not (32,)"):
        assert part in str(caught.value)


@pytest.mark.parametrize("keeps", [0.6, 0.0])
def test_a_truncated_checkpoint_is_told(models: Path, tmp_path: Path, keeps: float) -> None:
    with weights(models, tmp_path) as own:
        content = (own / NETWORK).read_bytes()
        (own / NETWORK).write_bytes(content[: int(keeps * len(content))])
    with pytest.raises(VideoError, match=r"truncated or damaged|is empty"):
        MuseTalk.at(Place(models=tmp_path / "models")).load()


def test_weights_that_are_not_here_are_told(models: Path, tmp_path: Path) -> None:
    with weights(models, tmp_path) as own:
        pass
    shutil.rmtree(own)
    engine = MuseTalk.at(Place(models=tmp_path / "models"))
    for ask in (engine.look, engine.load):
        with pytest.raises(ModelMissing, match="smarttalker models fetch musetalk"):
            ask()


@contextmanager
def failing_network(engine: MuseTalk, fails: Any) -> Iterator[None]:
    """fails: called with what goes into the denoiser; may raise."""
    engine.load()
    assert engine._networks is not None
    hook = engine._networks._network.register_forward_pre_hook(lambda network, given: fails(given[0]))
    try:
        yield
    finally:
        hook.remove()


def test_out_of_memory_once_takes_half_as_many(engine: MuseTalk, avatar: Avatar, usual: Frames) -> None:
    import torch

    sizes: list[int] = []

    def full(latents: Any) -> None:
        sizes.append(len(latents))
        if len(latents) > 2:
            raise torch.OutOfMemoryError("CUDA out of memory")

    with failing_network(engine, full):
        frames = drawn(engine, [speech(0.4)], avatar)
    assert sizes[0] == 4
    assert set(sizes[1:]) <= {1, 2}
    assert np.abs(frames.astype(int) - usual).max() <= 1, "the sums are taken in another order"


def test_out_of_memory_always_is_told(engine: MuseTalk, avatar: Avatar) -> None:
    import torch

    def full(latents: Any) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory")

    with failing_network(engine, full), pytest.raises(VideoError) as caught:
        drawn(engine, [speech(0.2)], avatar)
    assert caught.value.exhausted


def test_a_compiled_network_is_always_given_as_many_faces(models: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each other number would be compiled anew."""
    import torch

    networks = Networks.open(models, "cpu")
    latents = np.random.default_rng(1).normal(size=(3, 8, 8, 8)).astype(np.float32)
    windows = torch.randn((3, 50, 384), generator=torch.Generator().manual_seed(1))
    expected = networks.draw(latents, windows)
    own, counts = networks._network.forward, []

    def counted(given: Any, *more: Any, **told: Any) -> Any:
        counts.append(len(given))
        return own(given, *more, **told)

    monkeypatch.setattr(networks._network, "forward", _Compiled(own, counted, "the network"))
    faces = [networks.draw(latents[:count], windows[:count]) for count in (3, 2, 1)]
    assert counts == [3, 3, 3]
    for made in faces:
        np.testing.assert_allclose(made.astype(int), expected[: len(made)].astype(int), atol=1)


def test_no_numbers_are_computed_again_in_single_precision(models: Path) -> None:
    import torch

    networks = Networks.open(models, "cpu", torch.bfloat16)
    assert networks._whisper.states(torch.zeros(1, 80, 3000), normed=True).dtype == torch.float32
    latents, windows = np.zeros((2, 8, 8, 8), np.float32), torch.zeros(2, 50, 384)
    kinds = []

    def overflowing(network: Any, given: Any, out: Any) -> Any:
        kinds.append(given[0].dtype)
        return (out[0] * float("nan"),) if given[0].dtype == torch.bfloat16 else out

    hook = networks._network.register_forward_hook(overflowing)
    assert networks.draw(latents, windows).shape == (2, 64, 64, 3)
    assert kinds == [torch.bfloat16, torch.float32]
    hook.remove()


def test_no_numbers_at_all_are_told(engine: MuseTalk, avatar: Avatar) -> None:
    engine.load()
    assert engine._networks is not None
    network = engine._networks._network
    hook = network.register_forward_hook(lambda network, given, out: (out[0] * float("nan"),))
    try:
        with pytest.raises(VideoError, match="not finite") as caught:
            drawn(engine, [speech(0.2)], avatar)
    finally:
        hook.remove()
    assert not caught.value.exhausted
    assert len(drawn(engine, [speech(0.2)], avatar)) == 5, "the engine goes on"
