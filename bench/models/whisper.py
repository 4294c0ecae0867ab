"""Folders of Whisper tiny with random weights, in the published layout: the whole model, 167 tensors at full size."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from core.weights.folder import keep_record
from worker.networks.mel import filters
from worker.networks.quiet import quiet
from worker.networks.whisper import CONFIG, WEIGHTS

Size = Literal["tiny", "full"]

_SEED = 20_220
_TIED = "proj_out.weight"
"""The same numbers as the decoder's table of words, and kept once."""
_SHAPING = (
    *("vocab_size", "num_mel_bins", "d_model", "init_std", "max_source_positions", "max_target_positions"),
    *("encoder_layers", "encoder_attention_heads", "encoder_ffn_dim", "pad_token_id", "bos_token_id", "eos_token_id"),
    *("decoder_layers", "decoder_attention_heads", "decoder_ffn_dim", "decoder_start_token_id"),
)
_SUPPRESSED = (
    *(1, 2, 7, 8, 9, 10, 14, 25, 26, 27, 28, 29, 31, 58, 59, 60, 61, 62, 63, 90, 91, 92, 93, 359, 503, 522, 542, 873),
    *(893, 902, 918, 922, 931, 1350, 1853, 1982, 2460, 2627, 3246, 3253, 3268, 3536, 3846, 3961, 4183, 4667, 6585),
    *(6647, 7273, 9061, 9383, 10428, 10929, 11938, 12033, 12331, 12562, 13793, 14157, 14635, 15265, 15618, 16553),
    *(16604, 18362, 18956, 20075, 21675, 22520, 26130, 26161, 26435, 28279, 29464, 31650, 32302, 32470, 36865, 42863),
    *(47425, 49870, 50254, 50258, 50358, 50359, 50360, 50361, 50362),
)
_PUBLISHED: Mapping[str, Any] = {
    "_name_or_path": "openai/whisper-tiny",
    "activation_dropout": 0.0,
    "activation_function": "gelu",
    "architectures": ["WhisperForConditionalGeneration"],
    "attention_dropout": 0.0,
    "begin_suppress_tokens": [220, 50257],
    "bos_token_id": 50257,
    "d_model": 384,
    "decoder_attention_heads": 6,
    "decoder_ffn_dim": 1536,
    "decoder_layerdrop": 0.0,
    "decoder_layers": 4,
    "decoder_start_token_id": 50258,
    "dropout": 0.0,
    "encoder_attention_heads": 6,
    "encoder_ffn_dim": 1536,
    "encoder_layerdrop": 0.0,
    "encoder_layers": 4,
    "eos_token_id": 50257,
    "forced_decoder_ids": [[1, 50259], [2, 50359], [3, 50363]],
    "init_std": 0.02,
    "is_encoder_decoder": True,
    "max_length": 448,
    "max_source_positions": 1500,
    "max_target_positions": 448,
    "model_type": "whisper",
    "num_hidden_layers": 4,
    "num_mel_bins": 80,
    "pad_token_id": 50257,
    "scale_embedding": False,
    "suppress_tokens": list(_SUPPRESSED),
    "torch_dtype": "float32",
    "transformers_version": "4.27.0.dev0",
    "use_cache": True,
    "vocab_size": 51865,
}
_SMALLER: Mapping[Size, Mapping[str, Any]] = {
    "tiny": {
        "vocab_size": 64,
        "encoder_ffn_dim": 64,
        "decoder_ffn_dim": 64,
        "decoder_layers": 1,
        "max_target_positions": 16,
        "bos_token_id": 1,
        "eos_token_id": 1,
        "pad_token_id": 1,
        "decoder_start_token_id": 2,
        "init_std": 0.1,
    },
    "full": {},
}
"""The small one's weights are drawn wider, so that what comes out depends on what goes in."""


def build(folder: Path, size: Size = "tiny") -> Path:
    """Writes the whole folder, its record last, and gives it back. tiny: the encoder's layers and width are as
    published (4 and 384), what lies between is small. Raises OSError."""
    import torch
    from safetensors.torch import save_file

    folder.mkdir(parents=True, exist_ok=True)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(_SEED)
        state = _state(size)
    (folder / CONFIG).write_text(json.dumps(configuration(size), indent=2) + "\n", encoding="utf-8")
    save_file(state, folder / WEIGHTS, metadata={"format": "pt"})
    _write_extractor(folder / "preprocessor_config.json")
    keep_record(folder, f"random-{size}")
    return folder


def tensors_of(size: Size) -> Mapping[str, tuple[int, ...]]:
    """The names and shapes of a size's tensors; builds none of them."""
    import torch

    with torch.device("meta"):
        return {key: tuple(tensor.shape) for key, tensor in _state(size).items()}


def configuration(size: Size) -> dict[str, Any]:
    """What config.json says; full: openai/whisper-tiny's very text."""
    return {**_PUBLISHED, **_SMALLER[size]}


def _state(size: Size) -> dict[str, Any]:
    with quiet("transformers"):
        from transformers import WhisperConfig, WhisperForConditionalGeneration

        config = configuration(size)
        network = WhisperForConditionalGeneration(WhisperConfig(**{key: config[key] for key in _SHAPING}))
    return {key: tensor.contiguous() for key, tensor in network.state_dict().items() if key != _TIED}


def _write_extractor(path: Path) -> None:
    """What transformers' extractor of features reads; the published one holds the filters too."""
    table = {
        "chunk_length": 30,
        "feature_extractor_type": "WhisperFeatureExtractor",
        "feature_size": 80,
        "hop_length": 160,
        "mel_filters": filters().tolist(),
        "n_fft": 400,
        "n_samples": 480_000,
        "nb_max_frames": 3000,
        "padding_side": "right",
        "padding_value": 0.0,
        "processor_class": "WhisperProcessor",
        "return_attention_mask": False,
        "sampling_rate": 16_000,
    }
    path.write_text(json.dumps(table, indent=2) + "\n", encoding="utf-8")
