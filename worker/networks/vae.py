"""Pictures to latents and back: Stable Diffusion's autoencoder, with the weights `sd-vae-ft-mse`."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from worker.networks import checkpoint
from worker.networks.chunks import chunked
from worker.networks.compiling import compiled
from worker.networks.precision import finite, move
from worker.networks.quiet import quiet

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from worker.engines.video.base import Frame

FACTOR = 0.18215
"""Latents have about unit variance times this (Rombach et al. 2022, section D.1, as all networks on these latents
were trained)."""

CONFIG, WEIGHTS = "config.json", "diffusion_pytorch_model.safetensors"

_NEW_NAMES = {"query": "to_q", "key": "to_k", "value": "to_v", "proj_attn": "to_out.0"}
"""The published file names the attention's parts as diffusers did before its version 0.17."""


class VAE:
    """Tensors that it is given may lie anywhere and be of any float; those that it gives back lie on its device in its
    type. A call whose outcome is not finite is made again in float32. Raises NotANumber."""

    def __init__(self, network: Any, *, alike: bool = False) -> None:
        """alike: the last piece of `frames` is as long as the others, since a compiled network is compiled again for
        another length, which takes longer than drawing it."""
        self._network, self._alike = network, alike
        self.scale: int = 2 ** (len(network.config.block_out_channels) - 1)

    @classmethod
    def open(cls, folder: Path, device: str, dtype: torch.dtype, *, compile: bool = False) -> Self:
        """From the folder's two files alone, of any size. compile: the decoder is compiled at its first call. Raises
        CheckpointError and ModelMissing."""
        import torch

        network = _built(folder / CONFIG)
        checkpoint.fill(network, _renamed(checkpoint.read(folder / WEIGHTS)), checkpoint.weights_of(folder / WEIGHTS))
        move(network, device, dtype)
        if torch.device(device).type == "cuda":
            move(network, memory_format=torch.channels_last)
        compiled(network.decoder, compile, "the autoencoder")
        return cls(network, alike=compile)

    @property
    def device(self) -> Any:
        return next(self._network.parameters()).device

    @property
    def dtype(self) -> Any:
        return next(self._network.parameters()).dtype

    def to_dtype(self, dtype: torch.dtype) -> Self:
        """Itself, computing in another type from here on."""
        move(self._network, dtype)
        return self

    def encode(self, pictures: Tensor, chunk: int = 8) -> Tensor:
        """(n, 3, h, w) in -1 … 1, sides multiples of `scale`, to latents (n, 4, h / scale, w / scale): the mean of
        each picture's distribution x FACTOR, so that a picture has the same ones always. chunk: pictures at once,
        halved once where memory does not suffice."""
        import torch

        def encoded(begin: int, end: int) -> Tensor:
            return finite(self._network, self._encoded, pictures[begin:end])

        return torch.cat(list(chunked(len(pictures), chunk, encoded, "the encoder")))

    def decode(self, latents: Tensor) -> Tensor:
        """(n, 4, h, w) as `encode` gives them to pictures (n, 3, h x scale, w x scale) about -1 … 1, all at once."""
        return finite(self._network, self._decoded, latents)

    def frames(self, latents: Tensor, chunk: int = 4) -> Iterator[Frame]:
        """The pictures of (n, 4, h, w), one by one as (h x scale, w x scale, 3) RGB. Only `chunk` of them are on the
        device at a time; it is halved once where memory does not suffice."""

        longest = 0  # that was drawn; one that is being tried may not fit

        def drawn(begin: int, end: int) -> Any:
            nonlocal longest
            piece = latents[begin:end]
            count, longest = max(longest, len(piece)), 0
            frames = as_frames(self.decode(filled(piece, count) if self._alike else piece)[: len(piece)])
            longest = count
            return frames

        for frames in chunked(len(latents), chunk, drawn, "the decoder"):
            yield from frames

    def _encoded(self, pictures: Tensor) -> Tensor:
        import torch

        with torch.no_grad():
            mean: Tensor = self._network.encode(pictures).latent_dist.mean
            return mean * FACTOR

    def _decoded(self, latents: Tensor) -> Tensor:
        import torch

        with torch.no_grad():
            pictures: Tensor = self._network.decode(latents / FACTOR, return_dict=False)[0]
            return pictures


def as_frames(pictures: Tensor) -> Any:
    """(n, 3, h, w) about -1 … 1 to (n, h, w, 3) uint8 in numpy, rounded to the nearest."""
    import torch

    levels = pictures.float().add(1).mul_(127.5).clamp_(0, 255).round_()
    return levels.to(torch.uint8).permute(0, 2, 3, 1).contiguous().cpu().numpy()


def filled(piece: Tensor, count: int) -> Tensor:
    """At least so many rows, its last again and again."""
    import torch

    lacking = count - len(piece)
    return torch.cat((piece, piece[-1:].expand(lacking, *piece.shape[1:]))) if lacking > 0 else piece


def _built(path: Path) -> Any:
    """As the configuration says, on the meta device; what diffusers does not know of is left out."""
    config = checkpoint.read_config(path)
    with quiet("diffusers"):
        from diffusers import AutoencoderKL

        known = inspect.signature(AutoencoderKL).parameters
        with checkpoint.described(path, "AutoencoderKL"):
            return AutoencoderKL(**{key: value for key, value in config.items() if key in known})


def _renamed(state: dict[str, Tensor]) -> dict[str, Tensor]:
    return {_new_name(key): tensor for key, tensor in state.items()}


def _new_name(key: str) -> str:
    """`decoder.mid_block.attentions.0.query.weight` to `….to_q.weight`; others as they are."""
    *before, part, last = ("", "", *key.split("."))
    return key if ".attentions." not in key else ".".join((*before[2:], _NEW_NAMES.get(part, part), last))
