"""Folders of VoxCPM2 with random weights: what the published one holds, for tests and for measuring without it.

`build` runs this file as a program in the environment of the package voxcpm, since its own classes make the tensors;
the file imports nothing of ours at its top, so that any Python that has the package can run it:

    PYTHON -P bench/models/voxcpm.py FOLDER tiny|full [--endless]

Where the figures are from. The published config.json is not quoted anywhere in the package: those of the transformers
are the ones that ports of the model hold their checkpoints against, those of the VAE the defaults of the package's
AudioVAEConfigV2. Both were checked: with them the tensors number 577 and 312, and 2,290,004,544 numbers of two bytes
and 94,213,957 of four are the sizes of model.safetensors and audiovae.pth in models/manifest.toml, less 71 and 95 KB of
headers. The factors of the rotary embedding are not known and are ones here; they change no cost.
"""

from __future__ import annotations

import argparse
import json
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

Size = Literal["tiny", "full"]

_SEED = 20_260_401
_BUILT_IN_S = 1800
_RESERVED = ("<|audio_start|>", "<|audio_end|>", "<|ref_audio_start|>", "<|ref_audio_end|>")
_FIRST_RESERVED = 101
"""The package holds the four marks to be tokens 101 to 104."""
_LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.,!?;:'()-،؛؟" + "".join(
    map(chr, (*range(0x621, 0x63B), *range(0x641, 0x653)))
)
"""Latin, and the Arabic ones with their marks."""


@dataclass(frozen=True)
class Geometry:
    """width, inner, heads, key_heads, head_width, layers, words: of the language model; residual_layers of the one
    behind it. local_…: of the encoder and the diffusion transformer alike. grid: width of the quantised vector.
    latent: numbers of a frame of sound. wave: what AudioVAEConfigV2 is told. positions: of the caches."""

    width: int
    inner: int
    heads: int
    key_heads: int
    head_width: int
    layers: int
    words: int
    residual_layers: int
    local_width: int
    local_inner: int
    local_heads: int
    local_layers: int
    grid: int
    latent: int
    wave: Mapping[str, Any]
    positions: int


SIZES: Mapping[str, Geometry] = {
    "tiny": Geometry(
        *(32, 64, 2, 1, 16, 1, 512, 1),
        *(32, 64, 2, 1, 16, 8),
        {"encoder_dim": 8, "latent_dim": 8, "decoder_dim": 64},
        1024,
    ),
    "full": Geometry(*(2048, 6144, 16, 2, 128, 28, 73_448, 8), *(1024, 4096, 16, 12, 512, 64), {}, 8192),
}


def build(folder: Path, size: Size, python: Path, *, endless: bool = False) -> Path:
    """Writes a complete folder with its record, and gives it back. python: that of an environment with voxcpm.

    endless: the model never says that it is done, so that a call yields as many frames as it is allowed; else whether
    it ends is a matter of chance. Raises OSError, subprocess.CalledProcessError with the program's stderr.
    """
    from core.weights.folder import keep_record

    folder.mkdir(parents=True, exist_ok=True)
    asked = [str(folder.resolve()), size, *(["--endless"] if endless else [])]
    subprocess.run(
        [python, "-P", Path(__file__).resolve(), *asked], check=True, capture_output=True, timeout=_BUILT_IN_S
    )
    keep_record(folder, f"random-{size}")
    return folder


def write(folder: Path, size: Size, *, endless: bool = False, seed: int = _SEED) -> None:
    """All files but the record. Needs voxcpm and what it stands on."""
    import torch

    geometry = SIZES[size]
    config = configuration(geometry)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(config, indent=1), encoding="utf-8")
    _tokenizer().save_pretrained(str(folder))
    with torch.random.fork_rng(devices=[]):  # else a context is made on each card
        torch.manual_seed(seed)
        _save(folder, config, endless)


def configuration(geometry: Geometry) -> dict[str, Any]:
    """What config.json says."""
    half = geometry.head_width // 2
    local = {
        "hidden_dim": geometry.local_width,
        "ffn_dim": geometry.local_inner,
        "num_heads": geometry.local_heads,
        "num_layers": geometry.local_layers,
        "kv_channels": geometry.head_width,
    }
    return {
        "architecture": "voxcpm2",
        "lm_config": {
            "bos_token_id": 1,
            "eos_token_id": 2,
            "hidden_size": geometry.width,
            "intermediate_size": geometry.inner,
            "max_position_embeddings": 32_768,
            "num_attention_heads": geometry.heads,
            "num_hidden_layers": geometry.layers,
            "num_key_value_heads": geometry.key_heads,
            "kv_channels": geometry.head_width,
            "rms_norm_eps": 1e-5,
            "rope_theta": 10_000,
            "rope_scaling": {"type": "longrope", "long_factor": [1.0] * half, "short_factor": [1.0] * half}
            | {"original_max_position_embeddings": 32_768},
            "vocab_size": geometry.words,
            "use_mup": False,
            "scale_emb": 12,
            "dim_model_base": 256,
            "scale_depth": 1.4,
        },
        "patch_size": 4,
        "feat_dim": geometry.latent,
        "scalar_quantization_latent_dim": geometry.grid,
        "scalar_quantization_scale": 9,
        "residual_lm_num_layers": geometry.residual_layers,
        "residual_lm_no_rope": True,
        "encoder_config": local,
        "dit_config": local
        | {"cfm_config": {"sigma_min": 1e-6, "solver": "euler", "t_scheduler": "log-norm", "inference_cfg_rate": 2.0}},
        "audio_vae_config": dict(geometry.wave),
        "max_length": geometry.positions,
        "device": "cuda",
        "dtype": "bfloat16",
    }


def _tokenizer() -> Any:
    """Letters are tokens, and so are bytes, for what is none of them."""
    from transformers import LlamaTokenizerFast

    words = ["<unk>", "<s>", "</s>"]
    words += [f"<reserved_{place}>" for place in range(len(words), _FIRST_RESERVED)]
    words += [*_RESERVED, *(f"<0x{byte:02X}>" for byte in range(256)), "▁", *_LETTERS]
    return LlamaTokenizerFast(vocab={word: place for place, word in enumerate(words)}, merges=[])


def _save(folder: Path, config: Mapping[str, Any], endless: bool) -> None:
    import torch
    from safetensors.torch import save_file

    state = _model(config).state_dict()
    if endless:
        state["stop_head.weight"].zero_()  # of two equal numbers the first is taken for the larger: go on
    sound = "audio_vae."
    speech = {name: tensor.to(torch.bfloat16) for name, tensor in state.items() if not name.startswith(sound)}
    waves = {name.removeprefix(sound): tensor for name, tensor in state.items() if name.startswith(sound)}
    save_file({name: tensor.contiguous() for name, tensor in speech.items()}, folder / "model.safetensors")
    torch.save({"state_dict": waves}, folder / "audiovae.pth")


def _model(config: Mapping[str, Any]) -> Any:
    """The whole network as the package makes it, the transformers in bfloat16 so that a full one fits 6 GB."""
    import torch
    from voxcpm.model.voxcpm2 import VoxCPM2Model, VoxCPMConfig
    from voxcpm.modules.audiovae import AudioVAEConfigV2, AudioVAEV2

    waves = AudioVAEV2(config=AudioVAEConfigV2(**config["audio_vae_config"]))
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.bfloat16)
    try:
        return VoxCPM2Model(VoxCPMConfig.model_validate({**config, "device": "cpu"}), _NoWords(), waves, device="cpu")
    finally:
        torch.set_default_dtype(before)


class _NoWords:
    """All that a model which is only saved asks of its tokenizer."""

    vocab: Mapping[str, int] = {}


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="a folder of VoxCPM2 with random weights")
    parser.add_argument("folder", type=Path)
    parser.add_argument("size", choices=sorted(SIZES))
    parser.add_argument("--endless", action="store_true")
    asked = parser.parse_args(arguments)
    write(asked.folder, asked.size, endless=asked.endless)


if __name__ == "__main__":
    main()
