"""Folders of EchoMimicV2 with random weights, in the published layout and by the published names: 570 tensors of the
reference network, 1,274 of the denoiser in two files, 16 of the pose encoder.

Nothing is zero, not even what training begins with as zero (the motion modules' and the pose encoder's last layers):
else a part that is wrong would change nothing.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from bench.models import vae, whisper
from core.weights.folder import keep_record
from core.weights.paths import RECORD
from worker.engines.video.echomimic.architecture import CONFIG, Architecture, Hidden
from worker.networks.quiet import quiet

if TYPE_CHECKING:
    from torch import Generator, Tensor, nn

Size = Literal["tiny", "full"]
Mode = Literal["accelerated", "normal"]

ARCHITECTURES: Mapping[Size, Architecture] = {
    "tiny": Architecture((32, 32, 64, 64), 1, 384, 32, Hidden(heads=2, groups=8, motion_heads=2, side=64)),
    "full": Architecture((320, 640, 1280, 1280), 2, 384, 32, Hidden()),
}
_POSES: Mapping[Size, tuple[int, ...]] = {"tiny": (4, 8, 8, 16), "full": (16, 32, 96, 256)}
_SEED = 20_241
_QUIET = 0.2
_MOTION = re.compile(r"^(.*\.motion_modules\.\d+)\.(.*)$")
_RULES = (
    (re.compile(r"\.attn1\."), ".attention_blocks.0."),
    (re.compile(r"\.attn2\."), ".attention_blocks.1."),
    (re.compile(r"\.norm1\."), ".norms.0."),
    (re.compile(r"\.norm2\."), ".norms.1."),
    (re.compile(r"\.norm3\."), ".ff_norm."),
)


def build(models: Path, size: Size = "tiny", mode: Mode = "accelerated") -> Path:
    """Writes what a mode needs of EchoMimicV2 below `models`, which it gives back: `echomimic-v2`, for the normal mode
    `echomimic-v2-normal` too; folders that are whole stay. Raises OSError."""
    shared, normal = models / "echomimic-v2", models / "echomimic-v2-normal"
    if not (shared / RECORD).exists():
        _begin(shared, size)
        _save(shared / "reference_unet.pth", reference(size), half=True)
        _save(shared / "pose_encoder.pth", pose_encoder(size))
        _save_denoiser(shared, size, "_acc", seed=_SEED + 2, half=False)
        keep_record(shared, f"random-{size}")
    if mode == "normal" and not (normal / RECORD).exists():
        _begin(normal, size)
        _save_denoiser(normal, size, "", seed=_SEED + 3, half=True)
        keep_record(normal, f"random-{size}")
    return models


def build_all(models: Path, size: Size = "tiny", mode: Mode = "accelerated") -> Path:
    """`build`, and the autoencoder and Whisper, which the engine needs beside it."""
    for name, other in (("sd-vae-ft-mse", vae), ("whisper-tiny", whisper)):
        if not (models / name / RECORD).exists():
            other.build(models / name, size)
    return build(models, size, mode)


def reference(size: Size) -> Iterator[tuple[str, Tensor]]:
    """The reference network's tensors by their published names."""
    with quiet("diffusers"):
        from worker.engines.video.echomimic.reference import Reference

        return _random(_described(Reference, ARCHITECTURES[size]), _SEED)


def pose_encoder(size: Size) -> Iterator[tuple[str, Tensor]]:
    """The pose encoder's."""
    with quiet("diffusers"):
        from worker.engines.video.echomimic.pose_encoder import PoseEncoder

        return _random(_described(PoseEncoder, ARCHITECTURES[size].widths[0], _POSES[size]), _SEED + 1)


def denoiser(size: Size, seed: int = _SEED + 2) -> Iterator[tuple[str, Tensor]]:
    """The denoiser's, those of its motion modules among them."""
    with quiet("diffusers"):
        from worker.engines.video.echomimic.denoiser import Denoiser

        described = _described(Denoiser, ARCHITECTURES[size])
    return ((published, tensor) for key, tensor in _random(described, seed) for published in names(key))


def names(key: str) -> tuple[str, ...]:
    """The published names of a denoiser's tensor: of a motion block's moments two, of all others one."""
    found = _MOTION.match(key)
    if not found:
        return (key,)
    inner = f".temporal_transformer.{found[2]}"
    if inner.endswith(".pos_embed.pe"):
        stem = inner.removesuffix(".pos_embed.pe")
        return tuple(f"{found[1]}{stem}.attention_blocks.{at}.pos_encoder.pe" for at in (0, 1))
    for pattern, name in _RULES:
        inner = pattern.sub(name, inner)
    return (found[1] + inner,)


def _begin(folder: Path, size: Size) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    if size != "full":
        told = asdict(ARCHITECTURES[size].hidden)
        (folder / CONFIG).write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")


def _save_denoiser(folder: Path, size: Size, suffix: str, *, seed: int, half: bool) -> None:
    parts: dict[bool, dict[str, Tensor]] = {False: {}, True: {}}
    for key, tensor in denoiser(size, seed):
        parts[".motion_modules." in key][key] = tensor.half() if half else tensor
    for name, moves in (("denoising_unet", False), ("motion_module", True)):
        _save(folder / f"{name}{suffix}.pth", iter(parts.pop(moves).items()))


def _save(path: Path, state: Iterator[tuple[str, Tensor]], *, half: bool = False) -> None:
    import torch

    torch.save({key: tensor.half() if half else tensor for key, tensor in state}, path)


def _described(network: type[nn.Module], *given: object) -> nn.Module:
    """On the meta device: names and shapes alone."""
    import torch

    with torch.device("meta"):
        return network(*given)


def _random(network: nn.Module, seed: int) -> Iterator[tuple[str, Tensor]]:
    import torch

    chance = torch.Generator().manual_seed(seed)
    for key, described in network.state_dict().items():
        if key.endswith(".pe"):
            yield key, _moments(described)
        else:
            yield key, _drawn(key, described, chance)


def _drawn(key: str, described: Tensor, chance: Generator) -> Tensor:
    """So that a layer's outcome is about as loud as what it is given, and what a motion module adds quieter than what
    it adds to: at the lowest level of a small picture its norm divides by the difference of two numbers, which
    may be next to nothing."""
    import torch

    drawn: Tensor = torch.randn(described.shape, generator=chance)
    if described.ndim > 1:
        gain = _QUIET if ".motion_modules." in key and "proj_out" in key else 1.0
        return drawn.mul_(gain * described[0].numel() ** -0.5)
    return drawn.mul_(0.1).add_(1.0 if "norm" in key and key.endswith("weight") else 0.0)


def _moments(described: Tensor) -> Tensor:
    """What stands in the published files too: no weights, but sines that tell moments."""
    from diffusers.models.embeddings import SinusoidalPositionalEmbedding

    _, length, channels = described.shape
    told: Tensor = SinusoidalPositionalEmbedding(channels, length).pe
    return told
