"""Folders of MuseTalk 1.5 with random weights, in the published layout: a configuration and 686 tensors at full size.
The other two that it stands on have builders of their own (bench.models.vae, bench.models.whisper)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from core.weights.folder import keep_record
from worker.engines.video.musetalk.networks import CONFIG, NETWORK, WEIGHTS
from worker.networks.quiet import quiet

Size = Literal["tiny", "full"]

_SEED = 20_241
_LEVELS = 4
_SMALLER: Mapping[Size, Mapping[str, Any]] = {
    "tiny": {
        "attention_head_dim": 2,
        "block_out_channels": [32, 32, 64, 64],
        "layers_per_block": 1,
        "norm_num_groups": 8,
        "sample_size": 16,
    },
    "full": {},
}


def build(models: Path, size: Size = "tiny") -> Path:
    """Writes the whole folder `musetalk` under `models`, its record last, and gives it back. tiny: faces of 64 pixels,
    since half of a network's own size is what they have. Raises OSError."""
    import torch

    folder = models / WEIGHTS[0]
    (folder / NETWORK).parent.mkdir(parents=True, exist_ok=True)
    config = configuration(size)
    (folder / CONFIG).write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")
    torch.save(_network(config).state_dict(), folder / NETWORK)
    keep_record(folder, f"random-{size}")
    return folder


def build_all(models: Path, size: Size = "tiny") -> Path:
    """The three folders that the engine needs; gives `models` back."""
    from bench.models import vae, whisper

    build(models, size)
    vae.build(models / WEIGHTS[1], size)
    whisper.build(models / WEIGHTS[2], size)
    return models


def configuration(size: Size) -> dict[str, Any]:
    """What musetalk.json says."""
    published = {
        "_class_name": "UNet2DConditionModel",
        "_diffusers_version": "0.6.0.dev0",
        "act_fn": "silu",
        "attention_head_dim": 8,
        "block_out_channels": [320, 640, 1280, 1280],
        "center_input_sample": False,
        "cross_attention_dim": 384,
        "down_block_types": [*["CrossAttnDownBlock2D"] * (_LEVELS - 1), "DownBlock2D"],
        "downsample_padding": 1,
        "flip_sin_to_cos": True,
        "freq_shift": 0,
        "in_channels": 8,
        "layers_per_block": 2,
        "mid_block_scale_factor": 1,
        "norm_eps": 1e-05,
        "norm_num_groups": 32,
        "out_channels": 4,
        "sample_size": 64,
        "up_block_types": ["UpBlock2D", *["CrossAttnUpBlock2D"] * (_LEVELS - 1)],
    }
    return published | dict(_SMALLER[size])


def _network(config: Mapping[str, Any]) -> Any:
    import torch

    with torch.random.fork_rng(devices=[]), quiet("diffusers"):
        from diffusers import UNet2DConditionModel

        torch.manual_seed(_SEED)
        return UNet2DConditionModel(**{key: value for key, value in config.items() if not key.startswith("_")})
