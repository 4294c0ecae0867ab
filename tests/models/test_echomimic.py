"""The engine `echomimic` on tiny networks with random weights: what every engine of the layer keeps, and bad input."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from core.catalogue import Avatar, Catalogue
from core.errors import Cancelled, ModelMissing, VideoError
from core.kinds import Tone
from core.settings import HOME
from core.weights.folder import keep_record
from tests import halves
from worker.engines.base import Place
from worker.engines.tts.base import Speech
from worker.engines.video.base import Canvas, Frame
from worker.engines.video.echomimic import engine as module
from worker.engines.video.echomimic.engine import EchoMimic
from worker.engines.video.echomimic.poses import Poses
from worker.faces import halves as detecting

pytestmark = pytest.mark.models

SMALL = Canvas(96, 96, 25)
SIDE = 64
RATE = 16_000


@pytest.fixture(scope="module", autouse=True)
def quick() -> Iterator[None]:
    """Two steps instead of six and thirty."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "STEPS", {"accelerated": (2, 1.0), "normal": (2, 2.5)})
        yield


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from bench.models.echomimic import build_all

    return build_all(tmp_path_factory.mktemp("models"), "tiny", "normal")


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("data")


@pytest.fixture(scope="module")
def avatar(data: Path) -> Avatar:
    return halves.with_half(Catalogue(HOME).avatar("omar"), data / "avatars" / "omar")


@pytest.fixture(scope="module")
def shared(models: Path, data: Path) -> Iterator[EchoMimic]:
    made = EchoMimic.at(Place(models=models, data=data))
    made.load()
    yield made
    made.unload()


@pytest.fixture
def engine(shared: EchoMimic, monkeypatch: pytest.MonkeyPatch) -> EchoMimic:
    """One for all tests: whatever it drew before leaves no trace."""
    monkeypatch.setattr(shared, "watch", lambda share: None)
    return shared


def speech(seconds: float, rate: int = RATE, pitch: float = 150) -> Speech:
    moments = np.arange(round(seconds * rate)) / rate
    return Speech((0.3 * np.sin(2 * np.pi * pitch * moments)).astype(np.float32), rate, None, "hello")


def drawn(engine: EchoMimic, avatar: Avatar, *pieces: Speech, **more: Any) -> list[Frame]:
    return [frame.copy() for frame in engine.frames(pieces, avatar=avatar, canvas=SMALL, **more)]


@pytest.mark.parametrize(
    ("pieces", "frames"),
    [
        ([], 1),
        ([0.0], 1),
        ([0.0417], 2),  # 0.0417 s x 24 = 1.0008
        ([0.25], 6),
        ([0.1, 0.0, 0.16], 7),  # 0.26 s x 24 = 6.24
        ([0.6], 15),  # more than a window
    ],
)
def test_a_frame_for_each_started_24th(engine: EchoMimic, avatar: Avatar, pieces: list[float], frames: int) -> None:
    assert engine.rate(SMALL) == 24
    assert len(drawn(engine, avatar, *map(speech, pieces))) == frames


def test_speech_of_any_rates_is_taken(engine: EchoMimic, avatar: Avatar) -> None:
    pieces = (speech(0.11, 22_050), speech(0.05, 24_000), speech(0.05, 24_000), speech(0.0, 8_000))
    assert len(drawn(engine, avatar, *pieces)) == 6  # 0.21 s x 24 = 5.04


def test_frames_are_of_the_networks_size(engine: EchoMimic, avatar: Avatar, tmp_path: Path) -> None:
    assert EchoMimic.at(Place(models=tmp_path)).size(SMALL) == (768, 768)
    for canvas in (SMALL, Canvas(1280, 720, 30)):
        assert engine.size(canvas) == (SIDE, SIDE)
    for frame in engine.frames([speech(0.1)], avatar=avatar, canvas=Canvas(90, 160, 30)):
        assert frame.shape == (SIDE, SIDE, 3)
        assert frame.dtype == np.uint8
        assert frame.flags.c_contiguous


def test_the_same_speech_gives_the_same_frames(engine: EchoMimic, avatar: Avatar) -> None:
    runs = [drawn(engine, avatar, speech(0.3), tone=Tone.LIVELY, intensity=1.0) for _ in range(2)]
    np.testing.assert_array_equal(runs[0], runs[1])
    other = drawn(engine, avatar, speech(0.3, pitch=400), tone=Tone.LIVELY, intensity=1.0)
    assert (np.array(other) != runs[0]).any()


def test_two_clips_may_be_drawn_in_turns(engine: EchoMimic, avatar: Avatar) -> None:
    alone = drawn(engine, avatar, speech(0.2))
    other = engine.frames([speech(0.2, pitch=300)], avatar=avatar, canvas=SMALL)
    beside = []
    for frame in engine.frames([speech(0.2)], avatar=avatar, canvas=SMALL):
        beside.append(frame.copy())
        next(other, None)
    np.testing.assert_array_equal(alone, beside)


def test_all_speech_is_heard_before_the_first_frame(engine: EchoMimic, avatar: Avatar) -> None:
    said = iter([speech(0.1), speech(0.1), speech(0.1)])
    frames = engine.frames(said, avatar=avatar, canvas=SMALL)
    next(frames)
    assert next(said, None) is None
    assert len(list(frames)) == 7


def test_closing_stops_and_the_engine_goes_on(engine: EchoMimic, avatar: Avatar) -> None:
    frames = engine.frames([speech(0.3)], avatar=avatar, canvas=SMALL)
    next(frames)
    frames.close()  # type: ignore[attr-defined]
    with pytest.raises(StopIteration):
        next(frames)
    assert len(drawn(engine, avatar, speech(0.1))) == 3


def test_load_and_unload_are_idempotent_and_portraits_outlive_them(
    models: Path, data: Path, avatar: Avatar, monkeypatch: pytest.MonkeyPatch
) -> None:
    from worker.engines.video.echomimic.networks import Networks

    looked: list[int] = []
    look = Networks.portrait

    def counted(networks: Networks, picture: Frame) -> Any:
        looked.append(len(picture))
        return look(networks, picture)

    monkeypatch.setattr(Networks, "portrait", counted)
    engine = EchoMimic.at(Place(models=models, data=data))
    first = drawn(engine, avatar, speech(0.1))
    engine.unload()
    engine.unload()
    engine.load()
    engine.load()
    np.testing.assert_array_equal(drawn(engine, avatar, speech(0.1)), first)
    assert looked == [SIDE]
    engine.unload()


def test_so_many_portraits_are_kept_and_no_more(
    engine: EchoMimic, avatar: Avatar, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Avatars whose picture is a little darker each."""
    looked: list[str] = []
    assert engine._networks is not None
    body = engine._halves.body(avatar, SIDE)
    portraits = module.Portraits()
    whole = type(engine._networks).portrait

    def counted(networks: Any, picture: Frame) -> Any:
        looked.append(str(picture[0, 0, 0]))
        return whole(networks, picture)

    monkeypatch.setattr(type(engine._networks), "portrait", counted)
    for mark in "abbacab":
        shade = body.picture - np.uint8(ord(mark) - ord("a"))
        portraits.of(engine._networks, module.Body(shade, body.hands, mark))
    assert len(looked) == 4  # a, b, c, and b again, which c drove out


def test_it_says_what_it_is_and_needs(models: Path) -> None:
    """The normal mode computes a window twice, so of half as many at once."""
    for device, mode, weights, windows in (
        ("cpu", "accelerated", 3, 1),
        ("cuda:0", "normal", 4, 1),
        ("cuda:0", "accelerated", 3, 2),
    ):
        made = EchoMimic.at(Place(models=models, device=device, echomimic=mode))  # type: ignore[arg-type]
        assert made.mode == mode
        assert len(made.needs.weights) == weights
        assert made._options(seed=1).batch == windows
        assert (made.needs.gpu_mb > 0) is (device != "cpu")
        assert mode in made.look()
        assert made.needs.pace_s > 0


def watched(engine: EchoMimic, monkeypatch: pytest.MonkeyPatch, stop: float = 2.0) -> list[float]:
    """What is told; Cancelled from that share on."""
    told: list[float] = []

    def watch(share: float) -> None:
        told.append(share)
        if share >= stop:
            raise Cancelled

    monkeypatch.setattr(engine, "watch", watch)
    return told


def test_progress_is_told_from_the_first_call_to_the_last_frame(
    engine: EchoMimic, avatar: Avatar, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = watched(engine, monkeypatch)
    drawn(engine, avatar, speech(1.0))
    assert told == sorted(told)
    assert (told[0], told[-1]) == (0.0, pytest.approx(1.0))
    assert len([share for share in told if 0 < share < module.SAMPLING]) >= 4
    assert len([share for share in told if share > module.SAMPLING]) == 24


@pytest.mark.parametrize(("stop", "frames"), [(0.0, 0), (0.4, 0), (0.93, 1)])
def test_what_the_watch_raises_ends_the_work_and_passes(
    engine: EchoMimic, avatar: Avatar, monkeypatch: pytest.MonkeyPatch, stop: float, frames: int
) -> None:
    watched(engine, monkeypatch, stop)
    seen: list[Frame] = []
    with pytest.raises(Cancelled):
        seen.extend(engine.frames([speech(0.16)], avatar=avatar, canvas=SMALL))
    assert len(seen) == frames
    monkeypatch.undo()
    assert len(drawn(engine, avatar, speech(0.1))) == 3


def test_an_interruption_ends_what_is_sampled_and_nothing_else(
    engine: EchoMimic, avatar: Avatar, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "watch", lambda share: engine.interrupt() if share > 0.2 else None)
    with pytest.raises(VideoError, match="interrupted"):
        drawn(engine, avatar, speech(0.2))
    monkeypatch.setattr(engine, "watch", lambda share: None)
    assert len(drawn(engine, avatar, speech(0.1))) == 3


def test_the_idle_loop_is_as_long_as_it_shall_be(engine: EchoMimic, avatar: Avatar) -> None:
    assert len(list(engine.idle(avatar, SMALL, 0.5))) == 12


def test_the_normal_mode_draws_otherwise(models: Path, data: Path, avatar: Avatar, engine: EchoMimic) -> None:
    normal = EchoMimic.at(Place(models=models, data=data, echomimic="normal"))
    frames = drawn(normal, avatar, speech(0.1))
    assert len(frames) == 3
    assert (np.array(frames) != drawn(engine, avatar, speech(0.1))).any()
    normal.unload()


# What is refused


def poses(path: Path, **arrays: Any) -> None:
    with path.open("wb") as file:
        np.savez(file, **arrays)


def body(picture: NDArray[np.uint8] | None = None, **arrays: Any) -> Callable[[Path], Avatar]:
    def made(folder: Path) -> Avatar:
        avatar = halves.with_half(Catalogue(HOME).avatar("omar"), folder, picture)
        if arrays:
            poses(folder / "poses.npz", **arrays)
        return avatar

    return made


REFUSED: dict[str, tuple[Callable[[Path], Avatar], str]] = {
    "no half body": (lambda folder: Catalogue(HOME).avatar("sara"), "no half-body picture: record"),
    "no face": (body(np.full((768, 768, 3), 120, np.uint8)), "no face was found"),
    "hands cut off": (lambda folder: body(halves.handless())(folder), "a hand is cut off"),
    "one hand": (lambda folder: body(halves.half_body(1))(folder), "a hand is cut off"),
    "two people": (lambda folder: body(np.hstack([halves.half_body()] * 2))(folder), "more than one face"),
    "too small": (lambda folder: body(halves.half_body()[::2, ::2])(folder), "too small"),
    "crooked poses": (body(None, hands=np.zeros((3, 2)), scores=np.zeros(3)), "holds no poses"),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_avatars_that_can_not_be_drawn_are_refused_with_what_to_do(
    engine: EchoMimic, tmp_path: Path, kind: str
) -> None:
    make, words = REFUSED[kind]
    avatar = make(tmp_path / "omar")
    told = engine.refuses(avatar)
    assert told is not None
    assert words in told
    with pytest.raises(VideoError, match=words):
        drawn(engine, avatar, speech(0.1))


def test_an_avatar_that_can_be_drawn_is_told_at_once(
    models: Path, data: Path, avatar: Avatar, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By another process, too, once it was asked anywhere."""
    EchoMimic.at(Place(models=models, data=data)).refuses(avatar)
    monkeypatch.setattr(detecting, "seen_in", lambda rgb: pytest.fail("the detectors are asked again"))
    assert EchoMimic.at(Place(models=models, data=data)).refuses(avatar) is None


def test_own_poses_that_are_shorter_than_the_clip_are_played_to_and_fro(
    engine: EchoMimic, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown: list[Poses] = []
    call = Poses.__call__

    def spied(own: Poses, frames: Any) -> Frame:
        shown.append(own)
        return call(own, frames)

    monkeypatch.setattr(Poses, "__call__", spied)
    hands = np.linspace(0.2, 0.8, 3 * 2 * 21 * 2).reshape(3, 2, 21, 2)
    avatar = body(None, hands=hands, scores=np.ones((3, 2, 21)))(tmp_path / "omar")
    assert len(drawn(engine, avatar, speech(0.25))) == 6
    np.testing.assert_allclose(shown[0].hands, hands[[0, 1, 2, 1, 0, 1]], rtol=1e-6)


def test_sound_that_is_none_is_drawn_as_silence_or_noise(engine: EchoMimic, avatar: Avatar) -> None:
    broken = np.tile(np.array([np.nan, np.inf, -np.inf, 1e30], np.float32), 400)
    assert len(drawn(engine, avatar, Speech(broken, RATE, None))) == 3


# What goes wrong in the networks


@pytest.fixture
def own_models(models: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(models, tmp_path / "models"))


def cut(folder: Path) -> None:
    path = folder / "denoising_unet_acc.pth"
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    keep_record(folder, "cut")


def foreign(folder: Path) -> None:
    import torch

    torch.save({"hello.weight": torch.zeros(3)}, folder / "reference_unet.pth")
    keep_record(folder, "foreign")


def without_a_key(folder: Path) -> None:
    import torch

    state = torch.load(folder / "denoising_unet_acc.pth", weights_only=True)
    del state["mid_block.resnets.0.conv1.weight"]
    state["surplus.weight"] = torch.zeros(2)
    torch.save(state, folder / "denoising_unet_acc.pth")
    keep_record(folder, "lacking")


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (cut, ["denoising_unet_acc.pth"]),
        (foreign, ["reference_unet.pth"]),
        (without_a_key, ["mid_block.resnets.0.conv1.weight", "surplus.weight"]),
    ],
)
def test_broken_weights_are_named(
    own_models: Path, data: Path, spoil: Callable[[Path], None], words: list[str]
) -> None:
    spoil(own_models / "echomimic-v2")
    engine = EchoMimic.at(Place(models=own_models, data=data))
    with pytest.raises(VideoError) as caught:
        engine.load()
    assert all(word in str(caught.value) for word in words)
    assert not caught.value.exhausted
    engine.unload()


@pytest.mark.parametrize("name", ["echomimic-v2", "echomimic-v2-normal", "sd-vae-ft-mse", "whisper-tiny"])
def test_weights_that_are_missing_are_told_with_the_command(own_models: Path, name: str) -> None:
    shutil.rmtree(own_models / name)
    engine = EchoMimic.at(Place(models=own_models, echomimic="normal"))
    for ask in (engine.look, engine.load):
        with pytest.raises(ModelMissing, match=f"smarttalker models fetch {name}"):
            ask()


def test_memory_that_never_suffices_is_told_as_such(
    engine: EchoMimic, avatar: Avatar, monkeypatch: pytest.MonkeyPatch
) -> None:
    from worker.engines.video.echomimic.denoiser import Denoiser

    def full(*_: Any, **__: Any) -> Any:
        raise RuntimeError("CUDA out of memory. Tried to allocate 2.00 GiB")

    monkeypatch.setattr(Denoiser, "forward", full)
    with pytest.raises(VideoError, match="memory did not suffice") as caught:
        drawn(engine, avatar, speech(0.3))
    assert caught.value.exhausted
    monkeypatch.undo()
    assert len(drawn(engine, avatar, speech(0.1))) == 3


@pytest.mark.parametrize(("fits", "exhausted"), [(2, False), (1, True)])
def test_the_decoder_takes_half_as_many_frames_where_memory_lacks(
    engine: EchoMimic, avatar: Avatar, monkeypatch: pytest.MonkeyPatch, fits: int, exhausted: bool
) -> None:
    from worker.networks.vae import VAE

    whole = drawn(engine, avatar, speech(0.3))
    decode = VAE.decode
    sizes: list[int] = []

    def tight(vae: VAE, latents: Any) -> Any:
        sizes.append(len(latents))
        if len(latents) > fits:
            raise RuntimeError("CUDA out of memory")
        return decode(vae, latents)

    monkeypatch.setattr(VAE, "decode", tight)
    if exhausted:
        with pytest.raises(VideoError) as caught:
            drawn(engine, avatar, speech(0.3))
        assert caught.value.exhausted
        return
    np.testing.assert_allclose(np.array(drawn(engine, avatar, speech(0.3)), int), np.array(whole, int), atol=1)
    assert sizes == [4, 2, 2, 2, 2]


def test_numbers_that_are_not_finite_are_the_layers_error(
    engine: EchoMimic, avatar: Avatar, monkeypatch: pytest.MonkeyPatch
) -> None:
    from worker.engines.video.echomimic.denoiser import Denoiser

    forward = Denoiser.forward

    def broken(*given: Any, **more: Any) -> Any:
        return forward(*given, **more) * float("nan")

    monkeypatch.setattr(Denoiser, "forward", broken)
    with pytest.raises(VideoError, match="not finite") as caught:
        drawn(engine, avatar, speech(0.1))
    assert not caught.value.exhausted
