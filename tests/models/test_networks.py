"""worker/networks on torch: tiny weights in the published layout, against diffusers' and transformers' own loaders."""

from __future__ import annotations

import ctypes
import gc
import hashlib
import importlib
import io
import json
import logging
import os
import re
import shutil
import zipfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bench.models import vae as vaes
from bench.models import whisper as whispers
from core.errors import ModelMissing
from core.weights.folder import folder_of
from core.weights.manifest import read_manifest
from worker.networks import chunks, mel
from worker.networks.checkpoint import CheckpointError, described, fill, read
from worker.networks.compiling import compiled
from worker.networks.precision import NotANumber, checked, dtype_of, finite
from worker.networks.quiet import quiet
from worker.networks.vae import FACTOR, VAE, as_frames
from worker.networks.whisper import Whisper

pytestmark = pytest.mark.models

VAE_NAME, WHISPER_NAME = "sd-vae-ft-mse", "whisper-tiny"


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    vaes.build(folder / VAE_NAME)
    whispers.build(folder / WHISPER_NAME)
    return folder


@pytest.fixture(scope="module")
def vae(models: Path) -> VAE:
    import torch

    return VAE.open(folder_of(models, VAE_NAME), "cpu", torch.float32)


@pytest.fixture(scope="module")
def whisper(models: Path) -> Whisper:
    import torch

    return Whisper.open(folder_of(models, WHISPER_NAME), "cpu", torch.float32)


def random(*shape: int, seed: int = 1) -> Any:
    import torch

    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


# ── builders ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("name", "builder"), [(VAE_NAME, vaes), (WHISPER_NAME, whispers)])
def test_full_folders_are_laid_out_as_published(name: str, builder: Any) -> None:
    """Their configuration is the published text, and their weights' file has the published length to the byte, which
    depends on all names and shapes."""
    hub = read_manifest().weights[name].source
    published = {file.path: file for file in hub.files}
    text = json.dumps(builder.configuration("full"), indent=2) + "\n"
    assert hashlib.sha256(text.encode()).hexdigest() == published["config.json"].sha256
    assert length(builder.tensors_of("full")) == published[builder.WEIGHTS].bytes


def length(tensors: Mapping[str, tuple[int, ...]]) -> int:
    """Of a safetensors file of float32: the header's length, the header filled up to eight bytes, the numbers."""
    header: dict[str, Any] = {"__metadata__": {"format": "pt"}}
    end = 0
    for name, shape in sorted(tensors.items()):
        begin, end = end, end + 4 * int(np.prod(shape))
        header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [begin, end]}
    return 8 + -(-len(json.dumps(header, separators=(",", ":"))) // 8) * 8 + end


def test_builders_leave_random_numbers_alone_and_give_the_same_weights(models: Path, tmp_path: Path) -> None:
    import torch

    before = torch.get_rng_state()
    again = vaes.build(tmp_path / VAE_NAME)
    assert torch.equal(torch.get_rng_state(), before)
    assert (again / "weights.json").read_bytes() == (models / VAE_NAME / "weights.json").read_bytes()


# ── checkpoints ──────────────────────────────────────────────────────────────────────────────────────────────────────


def saved(value: Any, *, old: bool = False) -> bytes:
    import torch

    out = io.BytesIO()
    torch.save(value, out, _use_new_zipfile_serialization=not old)
    return out.getvalue()


def safe(value: Mapping[str, Any]) -> bytes:
    from safetensors.torch import save

    return bytes(save(dict(value)))


def tensors() -> dict[str, Any]:
    return {"weight": random(40, 50), "bias": random(40)}


class Hostile:
    """Makes a file where it is unpickled."""

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, ("executed",)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.safetensors", lambda: safe(tensors())),
        ("a.pth", lambda: safe(tensors())),
        ("a.pth", lambda: saved(tensors())),
        ("a.bin", lambda: saved(tensors())),
        ("a.pth", lambda: saved(tensors(), old=True)),
        ("a.pth", lambda: saved({"params": {"weight": random(1)}, "params_ema": tensors()})),
        ("a.pth", lambda: saved({"state_dict": tensors(), "epoch": 3})),
    ],
    ids=["safetensors", "safetensors as pth", "torch", "torch as bin", "torch's oldest", "averaged", "state_dict"],
)
def test_files_are_read_by_their_content_and_never_changed(
    tmp_path: Path, name: str, content: Callable[[], bytes]
) -> None:
    path = tmp_path / name
    path.write_bytes(content())
    before = path.read_bytes()
    state = read(path)
    assert {key: tuple(value.shape) for key, value in state.items()} == {"weight": (40, 50), "bias": (40,)}
    assert all(bool((state[key] == value).all()) for key, value in tensors().items())
    assert list(read(path, only=lambda key: key.startswith("b"))) == ["bias"]
    state["weight"].zero_()
    assert path.read_bytes() == before


def inner_cut(content: bytes) -> bytes:
    """A whole archive whose pickle ends early."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as source, zipfile.ZipFile(out, "w") as target:
        for info in source.infolist():
            part = source.read(info)
            target.writestr(info.filename, part[:12] if info.filename.endswith("data.pkl") else part)
    return out.getvalue()


def archive(name: str) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as target:
        target.writestr(name, "text")
    return out.getvalue()


def half(content: bytes) -> bytes:
    return content[: len(content) // 2]


DAMAGED, CODE, OTHERS = "truncated or damaged", "holds code, which is never run", "holds other things than tensors"
BROKEN: dict[str, tuple[Callable[[], bytes], str]] = {
    "safetensors cut": (lambda: safe(tensors())[:-9], DAMAGED),
    "safetensors with more": (lambda: safe(tensors()) + b"more", DAMAGED),
    "safetensors' header": (lambda: (10).to_bytes(8, "little") + b"{aaaaaaaaa", DAMAGED),
    "torch cut": (lambda: half(saved(tensors())), DAMAGED),
    "torch without its end": (lambda: saved(tensors())[:-30], DAMAGED),
    "torch's oldest cut": (lambda: half(saved(tensors(), old=True)), DAMAGED),
    "torch's pickle cut": (lambda: inner_cut(saved(tensors())), DAMAGED),
    "an archive of text": (lambda: archive("a.txt"), DAMAGED),
    "an archive of a folder": (lambda: archive("a/b.txt"), DAMAGED),
    "code": (lambda: saved({"weight": Hostile()}), CODE),
    "code of old": (lambda: saved({"weight": Hostile()}, old=True), CODE),
    "a whole network": (lambda: saved(_linear()), CODE),
    "a bare pickle": (lambda: b"\x80\x04\x95\x20\x00\x00\x00\x00\x00\x00\x00\x8c\x05posix\x8c\x05mkdir\x93.", OTHERS),
    "a list": (lambda: saved([1, 2]), "holds no tensors by name but list"),
    "a tensor": (lambda: saved(random(2)), "holds no tensors by name but Tensor"),
    "nothing": (lambda: saved({}), "holds nothing"),
    "numbers beside": (lambda: saved({"weight": random(2), "epoch": 3}), f"{OTHERS}: epoch"),
    "numbers as names": (lambda: saved({7: random(2)}), f"{OTHERS}: 7"),
    "endless names": (lambda: saved({f"{place}" + "x\n" * 9000: 1 for place in range(900)}), OTHERS),
}


def _linear() -> Any:
    from torch import nn

    return nn.Linear(2, 2)


@pytest.mark.parametrize(("content", "told"), BROKEN.values(), ids=BROKEN)
def test_broken_files_are_told_and_run_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: Callable[[], bytes], told: str
) -> None:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "some-net" / "a.pth"
    path.parent.mkdir()
    path.write_bytes(content())
    with pytest.raises(CheckpointError) as raised:
        read(path)
    text = str(raised.value)
    assert told in text
    assert "`smarttalker models verify some-net`" in text
    assert len(text) < 1000 + len(str(path))
    assert text.isprintable()
    assert not (tmp_path / "executed").exists()


def _without(key: str) -> dict[str, Any]:
    return {name: tensor for name, tensor in tensors().items() if name != key}


FAULTS: dict[str, tuple[Callable[[], dict[str, Any]], str]] = {
    "missing": (lambda: _without("bias"), "1 missing (bias)"),
    "more": (lambda: {**tensors(), "extra": random(1)}, "1 not expected (extra)"),
    "shape": (lambda: {**tensors(), "bias": random(41)}, "1 of another shape (bias is (41,), not (40,))"),
    "whole numbers": (lambda: {**tensors(), "bias": random(40).long()}, "1 no broken numbers (bias)"),
    "all at once": (
        lambda: {"weight": random(3), "x": random(1)},
        "1 missing (bias); 1 not expected (x); 1 of another",
    ),
    "foreign": (
        lambda: {f"{place:03}" + "x" * 500: random(1) for place in range(300)},
        "2 missing (weight, bias); 300 not expected (000xxx",
    ),
    "nothing": (dict, "2 missing (weight, bias)"),
}


@pytest.mark.parametrize(("state", "told"), FAULTS.values(), ids=FAULTS)
def test_weights_that_do_not_fit_are_told_key_by_key(state: Callable[[], dict[str, Any]], told: str) -> None:
    import torch

    with torch.device("meta"):
        network = torch.nn.Linear(50, 40)
    with pytest.raises(CheckpointError, match=re.escape(f"net does not fit its network: {told}")) as raised:
        fill(network, state(), "net")
    assert len(str(raised.value)) < 1200
    assert network.weight.is_meta


def test_five_keys_are_shown() -> None:
    import torch

    with pytest.raises(CheckpointError, match=r"7 not expected \(k0, k1, k2, k3, k4 and 2 more\)"):
        fill(torch.nn.Linear(50, 40), {**tensors(), **{f"k{place}": random(1) for place in range(7)}}, "net")


def test_a_network_takes_the_tensors_themselves() -> None:
    import torch

    with torch.device("meta"):
        network = torch.nn.Linear(50, 40)
    state = tensors()
    fill(network, state, "net")
    assert network.weight.data_ptr() == state["weight"].data_ptr()
    assert not network.training
    assert not any(parameter.requires_grad for parameter in network.parameters())


@pytest.mark.parametrize(
    ("name", "file", "change", "told"),
    [
        (VAE_NAME, "config.json", {"block_out_channels": "many"}, "describes no AutoencoderKL"),
        (VAE_NAME, "config.json", {"block_out_channels": [32, 32, 64, 128]}, "of another shape"),
        (VAE_NAME, "config.json", {"layers_per_block": 2}, r"missing \(encoder"),
        (VAE_NAME, "config.json", {"norm_num_groups": 7}, "describes no AutoencoderKL"),
        (WHISPER_NAME, "config.json", {"d_model": None}, "describes no Whisper"),
        (WHISPER_NAME, "config.json", {"encoder_layers": 3, "num_hidden_layers": 3}, r"15 not expected \(layers\.3"),
        (WHISPER_NAME, "config.json", {"encoder_layers": 5, "num_hidden_layers": 5}, r"15 missing \(layers\.4"),
    ],
)
def test_folders_whose_parts_contradict_are_told(
    models: Path, tmp_path: Path, name: str, file: str, change: dict[str, Any], told: str
) -> None:
    import torch

    folder = Path(shutil.copytree(models / name, tmp_path / name))
    config = json.loads((folder / file).read_text(encoding="utf-8")) | change
    (folder / file).write_text(json.dumps(config), encoding="utf-8")
    with pytest.raises(CheckpointError, match=told) as raised:
        (VAE if name == VAE_NAME else Whisper).open(folder, "cpu", torch.float32)
    assert name in str(raised.value)


@pytest.mark.parametrize("kind", [VAE, Whisper])
def test_the_other_networks_folder_is_told(models: Path, tmp_path: Path, kind: Any) -> None:
    import torch

    with pytest.raises(ModelMissing, match=r"config\.json is missing"):
        kind.open(tmp_path, "cpu", torch.float32)
    theirs = models / (WHISPER_NAME if kind is VAE else VAE_NAME)
    with pytest.raises((CheckpointError, ModelMissing)):
        kind.open(theirs, "cpu", torch.float32)


def test_errors_of_building_are_ours(tmp_path: Path) -> None:
    told = r"config\.json describes no net: ZeroDivisionError"
    with pytest.raises(CheckpointError, match=told), described(tmp_path / "config.json", "net"):
        _ = 1 / 0


# ── precision ────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("device", "kind"), [("cpu", "float32"), ("cuda", "float16"), ("cuda:1", "float16")])
def test_precision_of_a_device(device: str, kind: str) -> None:
    import torch

    assert dtype_of(device) is getattr(torch, kind)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_what_is_not_finite_is_told(value: float) -> None:
    import torch

    with pytest.raises(NotANumber, match="not finite"):
        checked(torch.tensor([1.0, value]))
    assert checked(torch.tensor([1.0])).item() == 1.0


def test_an_overflow_is_computed_again_wider(caplog: pytest.LogCaptureFixture) -> None:
    import torch

    network = torch.nn.Linear(1, 1, bias=False).requires_grad_(False)
    network.weight.fill_(300.0)
    network.half()
    kinds = []

    def call(given: Any) -> Any:
        kinds.append(given.dtype)
        return network(given) / 300

    with caplog.at_level(logging.WARNING):
        assert finite(network, call, torch.tensor([[100.0]])).item() == pytest.approx(100, rel=1e-3)
        assert not caplog.messages
        out = finite(network, call, torch.tensor([[1000.0]]))
    assert (out.item(), out.dtype, network.weight.dtype) == (1000.0, torch.float16, torch.float16)
    assert kinds == [torch.float16, torch.float16, torch.float32]
    assert caplog.messages == ["Linear overflowed in torch.float16: it computes this again in float32"]


@pytest.mark.parametrize(("kind", "given"), [("float16", float("nan")), ("float16", 1e30), ("float32", 3e38)])
def test_what_no_width_mends_is_told_and_leaves_the_network_as_it_was(kind: str, given: float) -> None:
    import torch

    network = torch.nn.Linear(1, 1, bias=False).requires_grad_(False)
    network.weight.fill_(1e4)
    network.to(getattr(torch, kind))
    with pytest.raises(NotANumber):
        finite(network, lambda tensor: network(tensor) * 1e9, torch.tensor([[given]]))
    assert network.weight.dtype is getattr(torch, kind)


# ── the autoencoder ──────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def theirs(models: Path) -> Any:
    """As diffusers opens the same folder."""
    with quiet("diffusers"):
        from diffusers import AutoencoderKL

        return AutoencoderKL.from_pretrained(str(models / VAE_NAME), local_files_only=True, low_cpu_mem_usage=False)


@pytest.mark.parametrize(("height", "width"), [(64, 64), (48, 80)])
def test_numbers_are_those_of_diffusers(vae: VAE, theirs: Any, height: int, width: int) -> None:
    import torch

    pictures = random(3, 3, height, width).clamp(-1, 1)
    latents = vae.encode(pictures)
    assert latents.shape == (3, 4, height // vae.scale, width // vae.scale)
    with torch.no_grad():
        torch.testing.assert_close(latents, theirs.encode(pictures).latent_dist.mode() * FACTOR, atol=1e-6, rtol=0)
        expected = theirs.decode(latents / FACTOR).sample
    torch.testing.assert_close(vae.decode(latents), expected, atol=1e-5, rtol=0)
    assert expected.std() > 0.1, "random weights that say the same of everything prove nothing"


@pytest.mark.parametrize("chunk", [1, 2, 100])
def test_frames_in_pieces_are_those_of_the_whole(vae: VAE, chunk: int) -> None:
    latents = random(5, 4, 6, 8)
    whole = as_frames(vae.decode(latents))
    frames = list(vae.frames(latents, chunk))
    assert [frame.shape for frame in frames] == [(48, 64, 3)] * 5
    assert all(frame.dtype == np.uint8 and frame.flags.c_contiguous for frame in frames)
    assert np.abs(np.stack(frames).astype(int) - whole).max() <= 1  # a batch may round the other way
    assert whole.std() > 10


def test_levels_are_rounded_and_held() -> None:
    import torch

    row = torch.tensor([-9.0, -1.0, -1 + 1 / 127.5, 0.003, 1.0, 9.0]).view(1, 1, 1, 6).expand(1, 3, 1, 6)
    assert as_frames(row)[0, 0, :, 0].tolist() == [0, 0, 1, 128, 255, 255]


@pytest.fixture
def batches(vae: VAE) -> Iterator[list[int]]:
    """How many at once the decoder and the encoder were given."""
    seen: list[int] = []

    def heard(_: Any, given: tuple[Any, ...]) -> None:
        seen.append(len(given[0]))

    hooks = [part.register_forward_pre_hook(heard) for part in (vae._network.encoder, vae._network.decoder)]
    yield seen
    for hook in hooks:
        hook.remove()


def test_pictures_go_in_pieces(vae: VAE, batches: list[int]) -> None:
    import torch

    pictures = random(5, 3, 16, 16)
    torch.testing.assert_close(vae.encode(pictures, 2), vae.encode(pictures), atol=1e-6, rtol=0)
    assert batches == [2, 2, 1, 5]


def test_frames_are_drawn_when_they_are_asked_for(vae: VAE, batches: list[int]) -> None:
    frames = vae.frames(random(6, 4, 2, 2), 2)
    assert batches == []
    next(frames)
    next(frames)
    assert batches == [2]
    next(frames)
    assert batches == [2, 2]


def test_pieces_are_halved_where_memory_does_not_suffice(vae: VAE, batches: list[int], caplog: Any) -> None:
    import torch

    latents = random(6, 4, 2, 2)
    expected = list(vae.frames(latents, 6))

    def refuse(_: Any, given: tuple[Any, ...]) -> None:
        if len(given[0]) > 2:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 9 GiB")

    hook = vae._network.decoder.register_forward_pre_hook(refuse)
    try:
        with caplog.at_level(logging.WARNING, chunks.__name__):
            frames = list(vae.frames(latents, 4))
        assert caplog.messages == ["memory did not suffice for 4 at once of the decoder: from here on 2"]
        with pytest.raises(torch.OutOfMemoryError):
            list(vae.frames(latents, 6))
    finally:
        hook.remove()
    np.testing.assert_allclose(np.stack(frames).astype(int), np.stack(expected).astype(int), atol=1)


def test_pieces_for_a_compiled_decoder_are_of_one_length(vae: VAE, batches: list[int]) -> None:
    latents = random(5, 4, 2, 2)
    expected = list(vae.frames(latents, 5))
    frames = list(VAE(vae._network, alike=True).frames(latents, 2))
    assert batches == [5, 2, 2, 2]
    np.testing.assert_allclose(np.stack(frames).astype(int), np.stack(expected).astype(int), atol=1)


def test_memory_does_not_grow_with_the_length(vae: VAE) -> None:
    """Drawn at once, ten frames would take ten times as much as one."""
    peaks = [_peak(lambda count=count: _drain(vae.frames(random(count, 4, 12, 12), 1))) for count in (1, 1, 10)]
    at_once = _peak(lambda: vae.decode(random(10, 4, 12, 12)))
    assert peaks[2] < peaks[1] + 6
    assert at_once > peaks[1] + 12, "what is measured is the memory of drawing"


def _drain(frames: Iterator[Any]) -> None:
    for _ in frames:
        pass


def _peak(work: Callable[[], Any]) -> float:
    """MiB that this process had at most meanwhile, beyond what it had before. What was freed, and is kept for later, is
    given back first."""
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)
    Path("/proc/self/clear_refs").write_text("5")
    before = _status("VmRSS")
    work()
    return (_status("VmHWM") - before) / 1024


def _status(field: str) -> int:
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(field))


@pytest.mark.parametrize("kind", ["float16", "bfloat16"])
def test_narrow_numbers_agree_and_overflows_are_computed_again(
    models: Path, vae: VAE, kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    import torch

    narrow = VAE.open(models / VAE_NAME, "cpu", getattr(torch, kind))
    latents = random(1, 4, 4, 4)
    close = {"atol": 0.1, "rtol": 0.1}
    torch.testing.assert_close(narrow.decode(latents).float(), vae.decode(latents), **close)
    assert not caplog.messages
    large = latents * 2e4  # divided by FACTOR that is beyond float16
    with caplog.at_level(logging.WARNING):
        drawn = narrow.decode(large)
    assert drawn.dtype is narrow.dtype is getattr(torch, kind)
    torch.testing.assert_close(drawn.float(), vae.decode(large), **close)
    assert bool(caplog.messages) == (kind == "float16")
    with pytest.raises(NotANumber):
        narrow.decode(latents * float("nan"))


def test_the_type_can_be_changed(models: Path) -> None:
    import torch

    vae = VAE.open(models / VAE_NAME, "cpu", torch.float32)
    assert vae.to_dtype(torch.bfloat16) is vae
    assert vae.dtype is torch.bfloat16
    assert vae.encode(random(1, 3, 16, 16)).dtype is torch.bfloat16


def test_outcomes_can_be_worked_on_in_place(vae: VAE, whisper: Whisper) -> None:
    latents = vae.encode(random(1, 3, 16, 16))
    latents += 1
    assert not latents.is_inference()


# ── Whisper ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def heard(models: Path) -> tuple[Any, Any, Any]:
    """Two pieces of log-mel, and what transformers' own WhisperModel makes of them: hidden states, the final norm."""
    import torch

    pieces = random(2, 80, 3000, seed=3).clamp(-1, 1)
    with quiet("transformers"), torch.no_grad():
        from transformers import WhisperModel

        encoder = WhisperModel.from_pretrained(str(models / WHISPER_NAME), local_files_only=True).get_encoder().eval()
        hidden = encoder(pieces, output_hidden_states=True).hidden_states
    return pieces, torch.stack(hidden, 2), encoder.layer_norm


def test_states_are_those_of_transformers(whisper: Whisper, heard: tuple[Any, Any, Any]) -> None:
    import torch

    pieces, expected, norm = heard
    normed, plain = whisper.states(pieces, True), whisper.states(pieces, False)
    assert normed.shape == plain.shape == (2, 1500, whisper.layers, whisper.width) == (2, 1500, 5, 384)
    torch.testing.assert_close(normed, expected, atol=1e-5, rtol=0)
    assert torch.equal(plain[:, :, :-1], normed[:, :, :-1])
    torch.testing.assert_close(norm(plain[:, :, -1]), expected[:, :, -1], atol=1e-5, rtol=0)
    assert (plain[:, :, -1] - normed[:, :, -1]).abs().max() > 0.1
    assert all((plain[0, :, layer] - plain[1, :, layer]).abs().max() > 0.1 for layer in range(5)), "all hear the sound"
    assert whisper._network.layers[0]._forward_hooks == {}


def test_a_file_of_the_model_without_its_head_is_read_too(models: Path, tmp_path: Path, whisper: Whisper) -> None:
    import torch
    from safetensors.torch import save_file

    folder = Path(shutil.copytree(models / WHISPER_NAME, tmp_path / "other"))
    state = read(folder / "model.safetensors")
    save_file({key.removeprefix("model."): tensor for key, tensor in state.items()}, folder / "less.safetensors")
    (folder / "less.safetensors").replace(folder / "model.safetensors")
    other = Whisper.open(folder, "cpu", torch.float32)
    ours, theirs = (each._network.state_dict() for each in (other, whisper))
    assert ours.keys() == theirs.keys()
    assert all(torch.equal(ours[key], theirs[key]) for key in ours)


@pytest.mark.parametrize("shape", [(80, 3000), (1, 80, 2999), (1, 81, 3000), (1, 80, 0)])
def test_pieces_of_another_shape_are_refused(whisper: Whisper, shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"not \(n, 80, 3000\)"):
        whisper.states(random(*shape), False)


# ── log-mel ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def sound(seconds: float, seed: int = 5) -> mel.Sound:
    """Loud, then much quieter: what is cut off depends on how much is looked at."""
    count = int(seconds * mel.RATE)
    moments = np.arange(count) / mel.RATE
    noise = np.random.default_rng(seed).standard_normal(count)
    voice = np.sin(2 * np.pi * (180 + 40 * np.sin(moments)) * moments) + 0.05 * noise
    return np.asarray(np.where(moments < seconds / 2, 0.5, 1e-4) * voice, np.float32)


def by_hand(samples: mel.Sound) -> np.ndarray[Any, np.dtype[np.float64]]:
    """In double precision, window by window: reflected ends, a periodic Hann window, no last window."""
    padded = np.pad(samples.astype(np.float64), 200, mode="reflect")
    hann = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(400) / 400)
    windows = [padded[begin : begin + 400] * hann for begin in range(0, len(samples) // 160 * 160, 160)]
    power = np.abs(np.fft.rfft(np.stack(windows))) ** 2
    levels = np.log10(np.maximum(mel.filters().astype(np.float64) @ power.T, 1e-10))
    return np.asarray((np.maximum(levels, levels.max() - 8) + 4) / 4)


@pytest.mark.parametrize("seconds", [0.5, 3.333, 41.0])
def test_log_mel_is_whispers(seconds: float) -> None:
    samples = sound(seconds)
    ours = mel.log_mel(samples)
    assert ours.shape == (80, len(samples) // 160)
    np.testing.assert_allclose(ours.numpy(), by_hand(samples), atol=1e-4)


@pytest.mark.parametrize("seconds", [0.0, 3.333, 30.0, 41.0])
def test_half_minutes_are_transformers(seconds: float) -> None:
    from transformers import WhisperFeatureExtractor

    theirs = WhisperFeatureExtractor()
    np.testing.assert_allclose(mel.filters(), theirs.mel_filters.T, atol=1e-8)
    samples, ours = sound(seconds), list(mel.half_minutes(sound(seconds)))
    assert len(ours) == max(1, -(-len(samples) // 480_000))
    for place, piece in enumerate(ours):
        part = samples[place * 480_000 : (place + 1) * 480_000]
        expected = theirs(part, sampling_rate=16_000, return_tensors="np").input_features[0]
        np.testing.assert_allclose(piece.numpy(), expected, atol=1e-6)


def test_pieces_of_a_recording_are_filled_up_behind_the_logarithm() -> None:
    import torch

    whole = mel.log_mel(sound(41.0))
    cut = list(mel.pieces(whole))
    assert [(tuple(piece.shape), frames) for piece, frames in cut] == [((80, 3000), 3000), ((80, 3000), 1100)]
    assert torch.equal(torch.cat([piece[:, :frames] for piece, frames in cut], 1), whole)
    assert not cut[1][0][:, 1100:].any()
    apart = list(mel.half_minutes(sound(41.0)))
    assert (apart[1] - cut[1][0]).abs().max() > 0.5, "the whole recording's loudest moment decides"


@pytest.mark.parametrize("count", [0, 1, 159, 160, 399, 400, 401])
def test_short_sound_is_followed_by_silence(count: int) -> None:
    import torch

    found = mel.log_mel(sound(1.0)[:count])
    assert found.shape == (80, 2)
    assert bool(torch.isfinite(found).all())


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_numbers_that_are_none_are_silence(value: float) -> None:
    import torch

    spoiled, silent = sound(1.0), sound(1.0)
    spoiled[1000:1100], silent[1000:1100] = value, 0.0
    assert torch.equal(mel.log_mel(spoiled), mel.log_mel(silent))


# ── compiling, and silence ───────────────────────────────────────────────────────────────────────────────────────────


def test_a_compiled_network_keeps_its_type_and_weights() -> None:
    import torch

    network = torch.nn.Linear(3, 2).requires_grad_(False)
    before, given = network(random(4, 3)), random(4, 3)
    graphs = []

    def backend(graph: Any, _: Any) -> Any:
        graphs.append(graph)
        return graph.forward

    assert compiled(network, True, "net", backend=backend) is network
    torch.testing.assert_close(network(given), before)
    assert graphs
    assert list(network.state_dict()) == ["weight", "bias"]


def test_a_network_that_can_not_be_compiled_goes_on(caplog: pytest.LogCaptureFixture) -> None:
    import torch

    def backend(graph: Any, _: Any) -> Any:
        raise NotImplementedError("no compiler here")

    network = torch.nn.Linear(3, 2).requires_grad_(False)
    given = random(4, 3)
    before = network(given)
    with caplog.at_level(logging.WARNING, "worker.networks.compiling"):
        torch.testing.assert_close(compiled(network, True, "net", backend=backend)(given), before)
    assert caplog.messages == ["net can't be compiled (BackendCompilerFailed): it goes on uncompiled"]


@pytest.mark.parametrize("library", ["diffusers", "transformers"])
def test_libraries_settings_are_as_before_afterwards(library: Any) -> None:
    switches = importlib.import_module(f"{library}.utils.logging")

    def state() -> tuple[int, bool]:
        return switches.get_verbosity(), switches.is_progress_bar_enabled()

    before = state()
    seen = []

    def fail() -> None:
        with quiet(library):
            seen.append(state())
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert [*seen, state()] == [(logging.ERROR, False), before]
    switches.disable_progress_bar()
    try:
        with quiet(library):
            pass
        assert not switches.is_progress_bar_enabled()
    finally:
        if before[1]:
            switches.enable_progress_bar()
