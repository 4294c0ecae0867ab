"""GFPGAN and CodeFormer in the sizes that a checkpoint's shapes tell.

The networks are spandrel's and spandrel_extra_arches's own; the ways these make them have the published sizes written
down. Both take and give (n, 3, side, side), RGB in -1 … 1.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import Tensor, nn

    State = Mapping[str, Tensor]

_BASE = {64: 256, 128: 128, 256: 64, 512: 32, 1024: 16}
"""GFPGAN's channels at a size, before multiplier and narrowing (TencentARC/GFPGAN, gfpganv1_clean_arch.py)."""
_WIDTH, _STEPS, _SIDE = 64, (1, 2, 2, 4, 4, 8), 512
"""CodeFormer's, as published (sczhou/CodeFormer, codeformer_arch.py): from 512 down to 16 pixels in six levels."""


def gfpgan(state: State) -> tuple[nn.Module, int]:
    """An empty network on the meta device, and the side of its pictures. Raises KeyError for keys that lack."""
    import torch
    from spandrel.architectures.GFPGAN import GFPGAN

    side = 4 << _count(state, r"toRGB\.\d+\.weight")
    narrow = state["final_conv.weight"].shape[0] / 256
    multiplier = round(state["conv_body_first.weight"].shape[0] / (_BASE[side] * narrow / 2))
    with torch.device("meta"):
        network = GFPGAN(
            out_size=side,
            num_style_feat=state["stylegan_decoder.style_mlp.1.weight"].shape[0],
            channel_multiplier=multiplier,
            num_mlp=_count(state, r"stylegan_decoder\.style_mlp\.\d+\.weight"),
            narrow=narrow,
        )
    return network, side


def codeformer(state: State) -> tuple[nn.Module, int]:
    """An empty network on the meta device, and the side of its pictures. Raises KeyError for keys that lack."""
    import torch

    parts = import_module("spandrel_extra_arches.architectures.CodeFormer.__arch.codeformer")
    places, width = state["position_emb"].shape[1], state["encoder.blocks.0.weight"].shape[0]
    with torch.device("meta"):
        network = parts.CodeFormer(
            dim_embd=places,
            n_layers=_count(state, r"ft_layers\.\d+\.norm1\.weight"),
            codebook_size=state["idx_pred_layer.1.weight"].shape[0],
            latent_size=state["position_emb"].shape[0],
            connect_list=[
                key.split(".")[1] for key in state if re.fullmatch(r"fuse_convs_dict\.\d+\.scale\.0\.weight", key)
            ],
        )
        if width != _WIDTH:
            _narrow(network, parts, width)
    return network, _SIDE


def _narrow(network: Any, parts: Any, width: int) -> None:
    """The parts whose width spandrel_extra_arches has written down, in another."""
    network.encoder = parts.Encoder(3, width, 256, _STEPS, 2, _SIDE, [16])
    network.generator = parts.Generator(width, _STEPS, 2, _SIDE, [16], 256)
    for size in network.connect_list:
        channels = network.channels[size] * width // _WIDTH
        network.fuse_convs_dict[size] = parts.Fuse_sft_block(channels, channels)


def _count(state: State, pattern: str) -> int:
    return sum(re.fullmatch(pattern, key) is not None for key in state)


BUILDERS: dict[str, Callable[[State], tuple[nn.Module, int]]] = {"GFPGAN": gfpgan, "CodeFormer": codeformer}
"""By spandrel's names."""
