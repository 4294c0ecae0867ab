"""Folders of the autoencoder `sd-vae-ft-mse` with random weights, in the published layout: the configuration's very
text, and 248 tensors whose attention has the names that it had before diffusers 0.17."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from core.weights.folder import keep_record
from worker.networks.quiet import quiet
from worker.networks.vae import CONFIG, WEIGHTS

Size = Literal["tiny", "full"]

_SEED = 20_221
_BLOCKS: Mapping[Size, tuple[int, ...]] = {"tiny": (32, 32, 64, 64), "full": (128, 256, 512, 512)}
_LAYERS: Mapping[Size, int] = {"tiny": 1, "full": 2}
_GROUPS: Mapping[Size, int] = {"tiny": 8, "full": 32}
_OLD_NAMES = {".to_q.": ".query.", ".to_k.": ".key.", ".to_v.": ".value.", ".to_out.0.": ".proj_attn."}


def build(folder: Path, size: Size = "tiny") -> Path:
    """Writes the whole folder, its record last, and gives it back. tiny: 0.6 million numbers, four levels too, so that
    latents are an eighth of the picture. Raises OSError."""
    import torch
    from safetensors.torch import save_file

    folder.mkdir(parents=True, exist_ok=True)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(_SEED)
        state = _state(size)
    (folder / CONFIG).write_text(json.dumps(configuration(size), indent=2) + "\n", encoding="utf-8")
    save_file(state, folder / WEIGHTS, metadata={"format": "pt"})
    keep_record(folder, f"random-{size}")
    return folder


def tensors_of(size: Size) -> Mapping[str, tuple[int, ...]]:
    """The names and shapes of a size's tensors; builds none of them."""
    import torch

    with torch.device("meta"):
        return {key: tuple(tensor.shape) for key, tensor in _state(size).items()}


def configuration(size: Size) -> dict[str, Any]:
    """What config.json says."""
    levels = len(_BLOCKS[size])
    return {
        "_class_name": "AutoencoderKL",
        "_diffusers_version": "0.4.2",
        "act_fn": "silu",
        "block_out_channels": list(_BLOCKS[size]),
        "down_block_types": ["DownEncoderBlock2D"] * levels,
        "in_channels": 3,
        "latent_channels": 4,
        "layers_per_block": _LAYERS[size],
        "norm_num_groups": _GROUPS[size],
        "out_channels": 3,
        "sample_size": 256,
        "up_block_types": ["UpDecoderBlock2D"] * levels,
    }


def _state(size: Size) -> dict[str, Any]:
    with quiet("diffusers"):
        from diffusers import AutoencoderKL

        arguments = {key: value for key, value in configuration(size).items() if not key.startswith("_")}
        network = AutoencoderKL(**arguments)
    return {_published(key): tensor.contiguous() for key, tensor in network.state_dict().items()}


def _published(key: str) -> str:
    if ".attentions." in key:
        for new, old in _OLD_NAMES.items():
            key = key.replace(new, old)
    return key
