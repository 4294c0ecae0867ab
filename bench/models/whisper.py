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
    },
    "full": {},
}


def build(folder: Path, size: Size = "tiny") -> Path:
    """Writes the whole folder, its record last, and gives it back. tiny: the encoder's layers and width are as
    published (4 and 384), what lies between is small. Raises OSError."""
    import torch
    from safetensors.torch import save_file

    folder.mkdir(parents=True, exist_ok=True)
    with torch.random.fork_rng(devices=[]), quiet("transformers"):
        from transformers import WhisperForConditionalGeneration

        torch.manual_seed(_SEED)
        network = WhisperForConditionalGeneration(configuration(size))
        network.config.architectures = [type(network).__name__]
        network.config.to_json_file(folder / CONFIG)
        state = {key: tensor.contiguous() for key, tensor in network.state_dict().items() if key != _TIED}
    save_file(state, folder / WEIGHTS, metadata={"format": "pt"})
    _write_extractor(folder / "preprocessor_config.json")
    keep_record(folder, f"random-{size}")
    return folder


def configuration(size: Size) -> Any:
    """transformers' WhisperConfig; full: openai/whisper-tiny's."""
    from transformers import WhisperConfig

    published = {
        "vocab_size": 51_865,
        "num_mel_bins": 80,
        "d_model": 384,
        "encoder_layers": 4,
        "encoder_attention_heads": 6,
        "encoder_ffn_dim": 1536,
        "decoder_layers": 4,
        "decoder_attention_heads": 6,
        "decoder_ffn_dim": 1536,
        "max_source_positions": 1500,
        "max_target_positions": 448,
    }
    return WhisperConfig(**(published | dict(_SMALLER[size])))


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
