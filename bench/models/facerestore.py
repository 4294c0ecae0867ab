"""Folders of GFPGAN and CodeFormer with random weights, in the layout of the published files."""

from __future__ import annotations

import math
from importlib import import_module
from pathlib import Path
from typing import Any, Literal

from bench.beside import lend
from core.weights.folder import keep_record
from worker.networks.quiet import quiet

Size = Literal["tiny", "full"]

GFPGAN, CODEFORMER = "gfpgan", "codeformer"
FILES = {GFPGAN: "GFPGANv1.4.pth", CODEFORMER: "codeformer.pth"}
_SEED = 20_251


def build(models: Path, size: Size = "tiny", which: str = GFPGAN) -> Path:
    """Writes models/<which>/ whole, its record last, and returns it. Raises KeyError for another name.

    full: as published, 87 and 94 million parameters, 350 and 380 MB. tiny: GFPGAN of faces of 64 pixels, 0.2 million.
    CodeFormer's faces are always of 512 pixels and its groups of 32 channels at least: 12 million, and 1.5 s a face on
    two cores.
    """
    import torch

    folder = models / which
    folder.mkdir(parents=True, exist_ok=True)
    network = {GFPGAN: _gfpgan, CODEFORMER: _codeformer}[which](size)
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        torch.manual_seed(_SEED)
        network.to_empty(device="cpu")
        state = {name: _random(name, tensor) for name, tensor in network.state_dict().items()}
    torch.save({"params_ema": state}, folder / FILES[which])
    keep_record(folder, f"random-{size}")
    return folder


def _gfpgan(size: Size) -> Any:
    import torch

    lend()
    parts = import_module("spandrel.architectures.GFPGAN")
    tiny = {"out_size": 64, "num_style_feat": 16, "num_mlp": 1, "narrow": 1 / 16}
    with torch.device("meta"):
        return parts.GFPGAN(**(tiny if size == "tiny" else {}))


def _codeformer(size: Size) -> Any:
    import torch

    lend()
    with quiet():
        parts = import_module("spandrel_extra_arches.architectures.CodeFormer.__arch.codeformer")
    with torch.device("meta"):
        if size == "full":
            return parts.CodeFormer()
        network = parts.CodeFormer(dim_embd=32, n_layers=1, codebook_size=32, connect_list=["32"])
        network.encoder = parts.Encoder(3, 32, 256, (1, 2, 2, 4, 4, 8), 2, 512, [16])
        network.generator = parts.Generator(32, (1, 2, 2, 4, 4, 8), 2, 512, [16], 256)
        network.fuse_convs_dict["32"] = parts.Fuse_sft_block(128, 128)
        return network


def _random(name: str, tensor: Any) -> Any:
    """As wide as keeps numbers of one size from layer to layer."""
    import torch

    if name.endswith("weight") and tensor.ndim == 1:
        return torch.ones_like(tensor) if tensor.numel() > 1 else torch.full_like(tensor, 0.1)
    if name.endswith("modulation.bias"):
        return torch.ones_like(tensor)
    if name.endswith("bias"):
        return torch.randn_like(tensor) * 0.01
    fan = tensor[0].numel() if tensor.ndim > 1 else 1
    return torch.randn_like(tensor) * (1.0 if "noises" in name or "constant" in name else math.sqrt(1 / fan))
