"""EchoMimicV2's networks and sampler on tiny random weights; tests/reference compares them with upstream's."""

from __future__ import annotations

import io
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from bench.models import echomimic as built
from core.errors import Cancelled, ModelMissing
from core.weights.folder import keep_record
from worker.engines.video.base import Frame
from worker.engines.video.echomimic import keys
from worker.engines.video.echomimic.architecture import Architecture, Hidden, pose_widths
from worker.networks.checkpoint import CheckpointError
from worker.networks.precision import NotANumber

if TYPE_CHECKING:
    from torch import Tensor

    from worker.engines.video.echomimic.networks import Networks, Portrait
    from worker.engines.video.echomimic.sampler import Options
    from worker.networks.whisper import Whisper

pytestmark = pytest.mark.models

SIDE = 64
FRAMES = 6
BLOCK = "mid_block.motion_modules.0.temporal_transformer.transformer_blocks.0"
WEIGHTS, MAIN, MOTION = "echomimic-v2", "denoising_unet_acc.pth", "motion_module_acc.pth"


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return built.build_all(tmp_path_factory.mktemp("models"), "tiny", "normal")


@pytest.fixture(scope="module")
def exact(models: Path) -> Networks:
    """In float64, so that what should be equal is."""
    return opened(models, dtype="float64")


@pytest.fixture(scope="module")
def portrait(exact: Networks) -> Portrait:
    return exact.portrait(face())


def opened(models: Path, **told: Any) -> Networks:
    import torch

    from worker.engines.video.echomimic.networks import Networks

    dtype = told.pop("dtype", None)
    return Networks.open(models, dtype=dtype and getattr(torch, dtype), **told)


def face(seed: int = 1) -> Frame:
    return np.random.default_rng(seed).integers(0, 256, (SIDE, SIDE, 3), dtype=np.uint8)


def poses(frames: Sequence[int]) -> Frame:
    return np.stack([face(1000 + frame) for frame in frames])


def sound(frames: int = FRAMES) -> Tensor:
    import torch

    return torch.randn((frames, 50, 384), generator=torch.Generator().manual_seed(3))


def options(**told: Any) -> Options:
    from worker.engines.video.echomimic.sampler import Options

    return Options(**{"steps": 2, "window": 4, "overlap": 1} | told)


def sampled(networks: Networks, portrait: Portrait, told: Options, frames: int = FRAMES, watch: Any = None) -> Tensor:
    from worker.engines.video.echomimic.sampler import sample

    return sample(networks, portrait, sound(frames), poses, told, watch or (lambda share: None))


class Between:
    """Stands before a network's own forward and sees each call; `fault` is asked what goes wrong in it."""

    def __init__(self, network: Any, fault: Callable[[int, Any], str] = lambda count, given: "") -> None:
        self._own, self._fault = network.forward, fault
        self.calls: list[Any] = []

    def __call__(self, *given: Any) -> Tensor:
        import torch

        self.calls.append(given[0])
        wrong = self._fault(len(self.calls), given[0])
        if wrong == "memory":
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")
        made: Tensor = self._own(*given)
        return made * float("nan") if wrong == "nan" else made


# -- Loading


def without_a_key(state: dict[str, Tensor]) -> None:
    del state["conv_in.weight"]


def with_a_key_more(state: dict[str, Tensor]) -> None:
    state["conv_norm_out.weight"] = state["conv_in.bias"]


def misshapen(state: dict[str, Tensor]) -> None:
    state["conv_in.bias"] = state["conv_in.bias"][:-1]


def of_another_network(state: dict[str, Tensor]) -> None:
    first = next(iter(state.values()))
    state.clear()
    state["encoder.layers.0.weight"] = first


@pytest.mark.parametrize("file", ["reference_unet.pth", "pose_encoder.pth"])
@pytest.mark.parametrize(
    ("change", "told"),
    [
        (without_a_key, r"conv_in\.weight"),
        (with_a_key_more, r"1 not expected \(conv_norm_out\.weight\)"),
        (misshapen, r"conv_in\.bias is \(\d+,\), not \(\d+,\)"),
        (of_another_network, r"holds no part of EchoMimicV2"),
    ],
)
def test_other_weights_are_told_by_their_keys(
    models: Path, tmp_path: Path, file: str, change: Callable[[dict[str, Tensor]], None], told: str
) -> None:
    with pytest.raises(CheckpointError, match=told) as caught:
        opened(altered(models, tmp_path, file, change))
    assert file in str(caught.value)


@pytest.mark.parametrize(
    ("file", "key", "told"),
    [
        (MAIN, "mid_block.attentions.0.transformer_blocks.0.attn1.to_k.weight", r"1 missing \(mid_block"),
        (MOTION, "mid_block.motion_modules.0.temporal_transformer.proj_in.bias", r"1 missing \(mid_block"),
        (MOTION, "mid_block.motion_modules.0.temporal_transformer.proj_in.bias+", r"1 not expected \(mid_block"),
        (
            MOTION,
            "down_blocks.0.motion_modules.0.temporal_transformer.transformer_blocks.0.attention_blocks.1.pos_encoder.pe*",
            r"differs from its twin",
        ),
    ],
)
def test_a_denoiser_of_two_files_is_whole_or_refused(
    models: Path, tmp_path: Path, file: str, key: str, told: str
) -> None:
    def change(state: dict[str, Tensor]) -> None:
        if key.endswith("+"):
            state[key] = state[key[:-1]]
        elif key.endswith("*"):
            state[key[:-1]] = state[key[:-1]] + 1
        else:
            del state[key]

    with pytest.raises(CheckpointError, match=told):
        opened(altered(models, tmp_path, file, change))


@pytest.mark.parametrize(
    ("config", "told"),
    [
        ('{"heads": 3}', "not made of 3 equal parts"),
        ('{"heads": 0}', "says heads"),
        ('{"width": 8}', "says width"),
        ('{"heads": true}', "says heads"),
        ('{"side": 100}', "no multiple of 64"),
        ("[]", "no JSON object"),
    ],
)
def test_a_configuration_that_can_not_be_is_refused(models: Path, tmp_path: Path, config: str, told: str) -> None:
    place = copied(models, tmp_path)
    written(place / WEIGHTS / "config.json", config.encode())
    with pytest.raises(CheckpointError, match=told):
        opened(place)


def test_a_truncated_file_is_refused(models: Path, tmp_path: Path) -> None:
    place = copied(models, tmp_path)
    path = place / WEIGHTS / MOTION
    written(path, path.read_bytes()[:-5000])
    with pytest.raises(CheckpointError, match="truncated or damaged"):
        opened(place)


def test_networks_of_different_sizes_are_refused(models: Path, tmp_path: Path) -> None:
    def halved(state: dict[str, Tensor]) -> None:
        state["conv_out.weight"], state["conv_out.bias"] = state["conv_out.weight"][:16], state["conv_out.bias"][:16]

    with pytest.raises(CheckpointError, match=r"pose_encoder\.pth gives 16 channels, not 32"):
        opened(altered(models, tmp_path, "pose_encoder.pth", halved))


@pytest.mark.parametrize("name", ["echomimic-v2", "sd-vae-ft-mse", "whisper-tiny"])
def test_a_missing_folder_is_told_with_its_command(models: Path, tmp_path: Path, name: str) -> None:
    place = copied(models, tmp_path)
    shutil.rmtree(place / name)
    with pytest.raises(ModelMissing, match=f"smarttalker models fetch {name}"):
        opened(place)


def test_each_mode_has_weights_of_its_own(models: Path) -> None:
    import torch

    fast, normal = opened(models), opened(models, mode="normal")
    assert fast.dtype == normal.dtype == torch.float32
    assert not torch.equal(fast.denoiser.conv_in.weight, normal.denoiser.conv_in.weight)
    assert torch.equal(fast.poses.conv_in.weight, normal.poses.conv_in.weight)


def test_published_keys_and_shapes_are_all_accounted_for() -> None:
    """At full size: 570 of the reference network, 1,274 of the denoiser, of which 21 stand there twice."""
    import torch

    from worker.engines.video.echomimic.denoiser import Denoiser
    from worker.engines.video.echomimic.pose_encoder import PoseEncoder
    from worker.engines.video.echomimic.reference import Reference

    wanted = built.ARCHITECTURES["full"]
    with torch.device("meta"):
        reference, denoiser, hands = Reference(wanted), Denoiser(wanted), PoseEncoder(320, (16, 32, 96, 256))
    looks, steps, shows = (dict(network.state_dict()) for network in (reference, denoiser, hands))
    assert (len(looks), len(steps), len(shows)) == (570, 1253, 16)
    published = {name: tensor for key, tensor in steps.items() for name in built.names(key)}
    assert len(published) == 1274
    assert {name for name in published if ".1.pos_encoder.pe" not in name} == set(published) - set(twins(published))
    renamed = {keys.renamed(name): tensor.shape for name, tensor in published.items() if name not in twins(published)}
    assert renamed == {key: tensor.shape for key, tensor in steps.items()}
    assert Architecture.of_denoiser(steps, Hidden(), "it") == wanted
    assert Architecture.of_reference(looks, Hidden(), "it").widths == wanted.widths
    assert pose_widths(shows, "it") == (320, (16, 32, 96, 256))


def twins(names: Any) -> list[str]:
    return [name for name in names if name.endswith("attention_blocks.1.pos_encoder.pe")]


@pytest.mark.parametrize(
    ("published", "ours"),
    [
        ("norm.weight", "norm.weight"),
        ("proj_in.bias", "proj_in.bias"),
        ("transformer_blocks.0.attention_blocks.0.to_q.weight", "transformer_blocks.0.attn1.to_q.weight"),
        ("transformer_blocks.0.attention_blocks.1.to_out.0.bias", "transformer_blocks.0.attn2.to_out.0.bias"),
        ("transformer_blocks.0.attention_blocks.0.pos_encoder.pe", "transformer_blocks.0.pos_embed.pe"),
        ("transformer_blocks.0.norms.1.weight", "transformer_blocks.0.norm2.weight"),
        ("transformer_blocks.0.ff.net.0.proj.weight", "transformer_blocks.0.ff.net.0.proj.weight"),
        ("transformer_blocks.0.ff_norm.bias", "transformer_blocks.0.norm3.bias"),
    ],
)
def test_motion_keys_have_diffusers_names(published: str, ours: str) -> None:
    before = "up_blocks.3.motion_modules.2"
    assert keys.renamed(f"{before}.temporal_transformer.{published}") == f"{before}.{ours}"
    assert keys.renamed("down_blocks.0.resnets.1.norm1.weight") == "down_blocks.0.resnets.1.norm1.weight"


def copied(models: Path, place: Path) -> Path:
    """Files are linked: one is written anew, never into."""
    return Path(shutil.copytree(models, place / "models", copy_function=link))


def link(source: str, target: str) -> None:
    Path(target).symlink_to(source)


def written(path: Path, content: bytes) -> None:
    path.unlink()
    path.write_bytes(content)
    keep_record(path.parent, "odd")


def altered(models: Path, place: Path, file: str, change: Callable[[dict[str, Tensor]], None]) -> Path:
    import torch

    copy = copied(models, place)
    path = copy / WEIGHTS / file
    state = dict(torch.load(path, weights_only=True))
    change(state)
    out = io.BytesIO()
    torch.save({key: tensor.clone() for key, tensor in state.items()}, out)
    written(path, out.getvalue())
    return copy


# -- Networks


def test_kept_keys_and_values_are_those_of_the_portrait_beside_the_frame(exact: Networks, portrait: Portrait) -> None:
    """As upstream computes it: what the reference network saw is put behind each frame's own, in each call anew."""
    import torch
    from torch.nn.functional import scaled_dot_product_attention

    layer = "up_blocks.2.attentions.1.transformer_blocks.0"
    attention = exact.denoiser.get_submodule(layer).attn1
    bank: dict[str, Tensor] = {}
    with torch.no_grad():
        exact.reference.look(exact.vae.encode(torch.from_numpy(face()[None]).permute(0, 3, 1, 2) / 127.5 - 1), bank)
        hidden = torch.randn(3, 4 * 4, attention.to_q.in_features, dtype=torch.float64)
        seen = torch.cat((hidden, bank[layer].expand(3, -1, -1)), dim=1)
        query, given, values = (
            made.unflatten(-1, (2, -1)).transpose(1, 2)
            for made in (attention.to_q(hidden), attention.to_k(seen), attention.to_v(seen))
        )
        whole = attention.to_out[0](scaled_dot_product_attention(query, given, values).transpose(1, 2).flatten(2))
        alone = attention(hidden)
        both = attention(torch.cat((hidden, hidden)), kept=portrait.kept, free=3)
    assert torch.allclose(both[3:], whole, atol=1e-6)
    assert torch.allclose(both[:3], alone, atol=1e-12)
    assert not torch.allclose(whole, alone, atol=1e-3)


def test_the_unconditional_half_hears_zeros_and_follows_no_hands(exact: Networks, portrait: Portrait) -> None:
    """What is left out of it is what zeros would give."""
    import torch

    network, time = exact.denoiser, torch.tensor([499])
    latents, heard = torch.randn(4, 4, 8, 8).double(), sound(4).double()
    with torch.no_grad():
        hands = exact.hands(poses(range(4)))
        both = network(latents, time, 4, heard, hands, portrait.kept, True)
        told = network(latents, time, 4, heard, hands, portrait.kept)
        free = network(latents, time, 4)
        zeros = network(latents, time, 4, torch.zeros_like(heard), torch.zeros_like(hands), None)
    assert torch.allclose(both, torch.cat((free, told)), atol=1e-9)
    assert torch.allclose(free, zeros, atol=1e-9)
    assert not torch.allclose(free, told, atol=1e-2)


def test_windows_in_a_batch_know_nothing_of_one_another(exact: Networks, portrait: Portrait) -> None:
    import torch

    latents, heard, time = torch.randn(8, 4, 8, 8).double(), sound(8).double(), torch.tensor([832])
    with torch.no_grad():
        hands = exact.hands(poses(range(8)))
        together = exact.denoiser(latents, time, 4, heard, hands, portrait.kept)
        parts = [slice(0, 4), slice(4, 8)]
        apart = [exact.denoiser(latents[p], time, 4, heard[p], hands[p], portrait.kept) for p in parts]
    assert torch.allclose(together, torch.cat(apart), atol=1e-9)


def test_frames_of_a_window_know_one_another_and_their_order(exact: Networks, portrait: Portrait) -> None:
    import torch

    latents, heard, time = torch.randn(4, 4, 8, 8).double(), sound(4).double(), torch.tensor([832])
    turned = [3, 2, 1, 0]
    with torch.no_grad():
        hands = exact.hands(poses(range(4)))
        forth = exact.denoiser(latents, time, 4, heard, hands, portrait.kept)
        back = exact.denoiser(latents[turned], time, 4, heard[turned], hands[turned], portrait.kept)
    assert not torch.allclose(forth, back[turned], atol=1e-3)


@pytest.mark.parametrize("shape", [(64, 96, 3), (72, 72, 3)])
def test_a_portrait_of_another_shape_is_refused(exact: Networks, shape: tuple[int, int, int]) -> None:
    with pytest.raises(ValueError, match="not square"):
        exact.portrait(np.zeros(shape, np.uint8))


# -- Sampling


@pytest.mark.parametrize("guidance", [1.0, 2.5])
def test_several_windows_at_once_draw_the_same(exact: Networks, portrait: Portrait, guidance: float) -> None:
    import torch

    one = sampled(exact, portrait, options(guidance=guidance))
    three = sampled(exact, portrait, options(guidance=guidance, batch=3))
    assert one.shape == (FRAMES, 4, SIDE // 8, SIDE // 8)
    assert one.dtype == torch.float32
    assert torch.allclose(one, three, atol=1e-5)


def test_sound_may_be_worked_out_window_by_window(exact: Networks, portrait: Portrait) -> None:
    import torch

    from worker.engines.video.echomimic.features import Heard
    from worker.engines.video.echomimic.sampler import sample

    heard = Heard(torch.randn(13, 5, 384), fps=24, frames=FRAMES)
    whole = heard[range(len(heard))]
    one, other = (sample(exact, portrait, each, poses, options(steps=1), lambda share: None) for each in (heard, whole))
    assert whole.shape == (FRAMES, 50, 384)
    assert torch.equal(one, other)


def test_a_compiled_denoiser_is_always_given_as_many_windows(
    exact: Networks, portrait: Portrait, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each other number would be compiled anew. Where memory does not suffice they are fewer from then on."""
    import torch

    from worker.networks.compiling import _Compiled

    told = options(batch=2, steps=3)
    expected = sampled(exact, portrait, told, 9)
    seen = Between(exact.denoiser, lambda count, given: "memory" if count == 3 else "")
    monkeypatch.setattr(exact.denoiser, "forward", _Compiled(exact.denoiser.forward, seen, "the denoiser"))
    made = sampled(exact, portrait, told, 9)
    assert [len(given) // 4 for given in seen.calls] == [2, 2, 2, 1, 1, 1, 1, 1, 1]  # three windows a step
    assert torch.allclose(made, expected, atol=1e-5)


def test_the_same_seed_draws_the_same_and_another_another(exact: Networks, portrait: Portrait) -> None:
    import torch

    first, again, other = (sampled(exact, portrait, options(steps=1, seed=seed)) for seed in (5, 5, 6))
    assert torch.equal(first, again)
    assert not torch.allclose(first, other, atol=1e-2)


@pytest.mark.parametrize("frames", [1, 2, 4])
def test_clips_shorter_than_a_window_are_drawn(exact: Networks, portrait: Portrait, frames: int) -> None:
    made = sampled(exact, portrait, options(batch=2), frames)
    assert made.shape == (frames, 4, 8, 8)
    assert bool(made.isfinite().all())


def test_each_call_is_watched_and_hands_are_drawn_once(exact: Networks, portrait: Portrait) -> None:
    from worker.engines.video.echomimic.sampler import sample

    shares: list[float] = []
    asked: list[int] = []

    def counted(frames: Sequence[int]) -> Frame:
        asked.extend(frames)
        return poses(frames)

    sample(exact, portrait, sound(9), counted, options(guidance=2.5), shares.append)  # 3 windows in each of 2 steps
    assert shares == pytest.approx([0, 1 / 6, 2 / 6, 3 / 6, 4 / 6, 5 / 6, 1])
    assert sorted(asked) == list(range(9))


def test_hands_for_which_there_is_no_room_are_drawn_again(
    exact: Networks, portrait: Portrait, monkeypatch: pytest.MonkeyPatch
) -> None:
    import torch

    from worker.engines.video.echomimic import sampler

    whole = sampled(exact, portrait, options())
    monkeypatch.setattr(sampler, "_ROOM", 2 * 32 * 8 * 8 * 8)  # two frames, 32 channels of 8 x 8 numbers of 8 bytes
    asked: list[int] = []

    def counted(frames: Sequence[int]) -> Frame:
        asked.extend(frames)
        return poses(frames)

    made = sampler.sample(exact, portrait, sound(), counted, options(), lambda share: None)
    assert torch.equal(made, whole)
    assert asked.count(0) == asked.count(1) == 1
    assert asked.count(5) == 2


@pytest.mark.parametrize("at", [0.0, 0.25, 0.75])
def test_what_watch_raises_ends_the_work(
    exact: Networks, portrait: Portrait, at: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    between = Between(exact.denoiser)
    monkeypatch.setattr(exact.denoiser, "forward", between)

    def watch(share: float) -> None:
        if share >= at:
            raise Cancelled

    with pytest.raises(Cancelled):
        sampled(exact, portrait, options(), watch=watch)
    assert len(between.calls) == round(at * 4)  # 2 windows in each of 2 steps


def test_a_call_that_overflows_is_made_again_in_float32(models: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    networks = opened(models, dtype="bfloat16")
    portrait = networks.portrait(face())
    between = Between(networks.denoiser, lambda count, given: "nan" if count == 2 else "")
    monkeypatch.setattr(networks.denoiser, "forward", between)
    made = sampled(networks, portrait, options())
    assert bool(made.isfinite().all())
    half, whole = torch.bfloat16, torch.float32
    assert [given.dtype for given in between.calls] == [half, half, whole, half, half]
    assert networks.dtype == half


@pytest.mark.parametrize("dtype", ["bfloat16", "float32"])
def test_one_that_overflows_there_too_is_an_error(models: Path, dtype: str, monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    networks = opened(models, dtype=dtype)
    assert networks.whisper.states(torch.zeros(1, 80, 3000), normed=False).dtype == torch.float32
    portrait = networks.portrait(face())
    between = Between(networks.denoiser, lambda count, given: "nan")
    monkeypatch.setattr(networks.denoiser, "forward", between)
    with pytest.raises(NotANumber):
        sampled(networks, portrait, options())
    assert [given.dtype for given in between.calls] == [torch.bfloat16, torch.float32] * (dtype == "bfloat16") or [
        torch.float32
    ]
    assert networks.dtype == getattr(torch, dtype)


def test_where_memory_does_not_suffice_fewer_windows_go_at_once(
    exact: Networks, portrait: Portrait, monkeypatch: pytest.MonkeyPatch
) -> None:
    import torch

    whole = sampled(exact, portrait, options(batch=4), 12)  # 4 windows in each of 2 steps
    between = Between(exact.denoiser, lambda count, given: "memory" if count == 1 else "")
    monkeypatch.setattr(exact.denoiser, "forward", between)
    shares: list[float] = []
    made = sampled(exact, portrait, options(batch=4), 12, shares.append)
    assert [len(given) for given in between.calls] == [16, 8, 8, 8, 8]  # in the second step too
    assert torch.allclose(made, whole, atol=1e-5)
    assert shares == sorted(shares)


def test_of_one_window_the_guided_halves_go_one_after_the_other(
    exact: Networks, portrait: Portrait, monkeypatch: pytest.MonkeyPatch
) -> None:
    import torch

    whole = sampled(exact, portrait, options(guidance=2.5), 6)
    between = Between(exact.denoiser, lambda count, given: "memory" if count == 1 else "")
    monkeypatch.setattr(exact.denoiser, "forward", between)
    made = sampled(exact, portrait, options(guidance=2.5), 6)
    assert len(between.calls) == 1 + 2 * 2 * 2  # halves, windows and steps
    assert torch.allclose(made, whole, atol=1e-4)


@pytest.mark.parametrize(("batch", "calls"), [(1, 1), (2, 2), (4, 2)])
def test_where_it_does_not_suffice_for_them_either_the_error_passes(
    exact: Networks, portrait: Portrait, batch: int, calls: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    import torch

    between = Between(exact.denoiser, lambda count, given: "memory")
    monkeypatch.setattr(exact.denoiser, "forward", between)
    with pytest.raises(torch.OutOfMemoryError):
        sampled(exact, portrait, options(batch=batch), 12)
    assert len(between.calls) == calls


# -- Sound


@pytest.fixture(scope="module")
def whisper(models: Path) -> Whisper:
    import torch

    from worker.networks.whisper import Whisper

    return Whisper.open(models / "whisper-tiny", "cpu", torch.float32)


@pytest.mark.parametrize(
    ("samples", "fps", "frames"),
    [(0, 24, 1), (16_001, 24, 25), (8_000, 25, 13)],
)
def test_each_frame_hears_what_is_around_it(whisper: Whisper, samples: int, fps: int, frames: int) -> None:
    """Rows are ten of Whisper's states, 20 ms each: from 4 before the frame's own to 5 behind it, within the sound."""
    import torch

    from worker.engines.video.echomimic.features import features
    from worker.networks.mel import log_mel

    wave = np.random.default_rng(7).standard_normal(samples).astype(np.float32) * 0.1
    made = features(whisper, wave, fps)
    assert made.shape == (frames, 50, 384)
    assert made.dtype == torch.float32
    mel = log_mel(wave)
    padded = torch.nn.functional.pad(mel, (0, 3000 - mel.shape[1]))
    states = whisper.states(padded[None], normed=False)[0, : mel.shape[1] // 2].float()
    for frame in {0, frames // 2, frames - 1}:
        own = int(frame * 50 / fps)
        heard = [states[min(max(at, 0), len(states) - 1)] for at in range(own - 4, own + 6)]
        assert torch.equal(made[frame], torch.cat(heard))


def test_sound_of_more_than_half_a_minute_is_heard_in_pieces(whisper: Whisper) -> None:
    """A recording's second piece is measured by the loudest moment of the first: what is 80 dB
    below that is as loud as what is 100 dB below."""
    import torch

    from worker.engines.video.echomimic.features import features

    wave = np.random.default_rng(8).standard_normal(31 * 16_000).astype(np.float32) * 1e-5
    quiet = features(whisper, wave, 24)
    assert quiet.shape == (31 * 24, 50, 384)
    loud = wave.copy()
    loud[:8000] *= 1e5
    assert not torch.allclose(features(whisper, loud, 24)[-20:], quiet[-20:], atol=1e-3)


def test_steps_are_those_of_diffusers() -> None:
    import torch

    from worker.engines.video.echomimic.schedule import Schedule
    from worker.networks.quiet import quiet

    with quiet("diffusers"):
        from diffusers import DDIMScheduler

        theirs = DDIMScheduler(
            beta_start=0.00085,
            beta_end=0.012,
            beta_schedule="linear",
            clip_sample=False,
            steps_offset=1,
            prediction_type="v_prediction",
            rescale_betas_zero_snr=True,
            timestep_spacing="trailing",
        )
    latents, velocity = torch.randn(2, 64, generator=torch.Generator().manual_seed(1))
    for steps in (1, 6, 30):
        theirs.set_timesteps(steps)
        for time, moment in zip(theirs.timesteps, Schedule().moments(steps), strict=True):
            assert int(time) == moment.time
            made = theirs.step(velocity, time, latents).prev_sample
            assert torch.allclose(made, moment.keep * latents + moment.add * velocity, atol=1e-5)
