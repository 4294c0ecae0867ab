"""EchoMimicV2's networks, from the published files onto a device."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self, TypeVar

import torch
from torch import Tensor, nn

from core.weights.folder import folder_of
from worker.engines.video.base import Frame
from worker.engines.video.echomimic import keys
from worker.engines.video.echomimic.architecture import Architecture, Hidden, Mode, pose_widths
from worker.engines.video.echomimic.attention import Kept
from worker.networks.checkpoint import CheckpointError, fill, read
from worker.networks.compiling import compiled
from worker.networks.precision import checked, dtype_of, finite, move
from worker.networks.quiet import quiet
from worker.networks.vae import VAE
from worker.networks.whisper import Whisper

with quiet("diffusers"):
    from worker.engines.video.echomimic.denoiser import Denoiser
    from worker.engines.video.echomimic.pose_encoder import PoseEncoder, as_given
    from worker.engines.video.echomimic.reference import Reference

WEIGHTS, NORMAL = "echomimic-v2", "echomimic-v2-normal"
REFERENCE, POSES = "reference_unet.pth", "pose_encoder.pth"
DENOISERS: Mapping[Mode, tuple[str, str, str]] = {
    "accelerated": (WEIGHTS, "denoising_unet_acc.pth", "motion_module_acc.pth"),
    "normal": (NORMAL, "denoising_unet.pth", "motion_module.pth"),
}
"""Of each mode: the weights' folder, and the two files of the denoiser there."""

Network = TypeVar("Network", bound=nn.Module)


@dataclass(frozen=True)
class Portrait:
    """What is kept of a portrait. kept: keys and values of all layers of the denoiser. side: of its latents."""

    kept: Kept
    side: int

    def to(self, device: Any, dtype: Any = None) -> Portrait:
        """Itself where it is so already, else a copy; dtype: None keeps it."""
        told = {"device": device, "dtype": dtype}
        kept = {layer: (first.to(**told), second.to(**told)) for layer, (first, second) in self.kept.items()}
        return Portrait(kept, self.side)


@dataclass(frozen=True)
class Networks:
    """All on one device, in one type; Whisper, which takes hardly any time, in float32."""

    reference: Reference
    denoiser: Denoiser
    poses: PoseEncoder
    vae: VAE
    whisper: Whisper

    @classmethod
    def open(
        cls,
        models: Path,
        *,
        device: str = "cpu",
        mode: Mode = "accelerated",
        dtype: torch.dtype | None = None,
        compile: bool = False,
    ) -> Self:
        """From the folders of weights below `models`, of any size. dtype: None takes what suits the device. compile:
        the denoiser and the autoencoder's decoder are compiled at their first call. Raises ModelMissing, and
        CheckpointError that names the keys which are wrong."""
        dtype = dtype or dtype_of(device)
        shared = folder_of(models, WEIGHTS)
        poses = _poses(shared, device, dtype)
        reference = _reference(shared, device, dtype)
        denoiser = _denoiser(models, mode, device, dtype)
        vae = VAE.open(folder_of(models, "sd-vae-ft-mse"), device, dtype, compile=compile)
        whisper = Whisper.open(folder_of(models, "whisper-tiny"), device, torch.float32)
        _check_match(reference, denoiser, poses, whisper)
        return cls(reference, compiled(denoiser, compile, "EchoMimicV2's denoiser"), poses, vae, whisper)

    @property
    def device(self) -> Any:
        return self.denoiser.device

    @property
    def dtype(self) -> Any:
        return self.denoiser.dtype

    def portrait(self, picture: Frame) -> Portrait:
        """Of a portrait (side, side, 3), the side a multiple of 64, as large as the frames shall be. Raises ValueError
        for another shape, and NotANumber."""
        side, wide, _ = picture.shape
        if side != wide or side % (8 * self.vae.scale):
            raise ValueError(f"a portrait of {wide} x {side}, not square with sides that are multiples of 64")
        latents = self.vae.encode(as_given(picture[None]) * 2 - 1)
        bank: dict[str, Tensor] = {}
        with torch.no_grad():
            finite(self.reference, lambda given: self.reference.look(given, bank), latents)
            kept = self.denoiser.keys_and_values({layer: seen.to(self.dtype) for layer, seen in bank.items()})
        for both in kept.values():
            checked(both[0]), checked(both[1])
        return Portrait(kept, side // self.vae.scale)

    def hands(self, pictures: Frame) -> Tensor:
        """(k, side, side, 3) pictures of hands as the denoiser takes them: (k, channels, side / 8, side / 8), on the
        device. Raises NotANumber."""
        with torch.no_grad():
            return finite(self.poses, self.poses, as_given(pictures))


def _reference(folder: Path, device: str, dtype: torch.dtype) -> Reference:
    name = f"{WEIGHTS}: {REFERENCE}"
    state = read(folder / REFERENCE)
    architecture = Architecture.of_reference(state, Hidden.of(folder), name)
    with torch.device("meta"):
        network = Reference(architecture)
    return _filled(network, state, name, device, dtype)


def _denoiser(models: Path, mode: Mode, device: str, dtype: torch.dtype) -> Denoiser:
    weights, main, motion = DENOISERS[mode]
    folder = folder_of(models, weights)
    name = f"{weights}: {main} with {motion}"
    state = keys.denoiser(read(folder / main), read(folder / motion))
    architecture = Architecture.of_denoiser(state, Hidden.of(folder), name)
    with torch.device("meta"):
        network = Denoiser(architecture)
    return _filled(network, state, name, device, dtype)


def _poses(folder: Path, device: str, dtype: torch.dtype) -> PoseEncoder:
    name = f"{WEIGHTS}: {POSES}"
    state = {key: tensor.clone() for key, tensor in read(folder / POSES).items()}  # a thousandth of what the file holds
    with torch.device("meta"):
        network = PoseEncoder(*pose_widths(state, name))
    return _filled(network, state, name, device, dtype)


def _filled(network: Network, state: Mapping[str, Tensor], name: str, device: str, dtype: torch.dtype) -> Network:
    fill(network, state, name)
    move(network, device, dtype)
    if torch.device(device).type == "cuda":
        move(network, memory_format=torch.channels_last)
    return network


def _check_match(reference: Reference, denoiser: Denoiser, poses: PoseEncoder, whisper: Whisper) -> None:
    """Each fits its own file; they may still be of different sizes."""
    widths, seen = denoiser.config.block_out_channels, reference.config.block_out_channels
    if tuple(widths) != tuple(seen) or denoiser.config.layers_per_block != reference.config.layers_per_block:
        raise CheckpointError(f"{WEIGHTS}: {REFERENCE} has levels of {seen} channels, the denoiser {widths}")
    if poses.conv_out.out_channels != widths[0]:
        raise CheckpointError(f"{WEIGHTS}: {POSES} gives {poses.conv_out.out_channels} channels, not {widths[0]}")
    if whisper.width != denoiser.config.cross_attention_dim:
        raise CheckpointError(f"whisper-tiny gives vectors of {whisper.width} numbers, others than the denoiser's")
