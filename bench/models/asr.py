"""Folders of Fun-ASR Nano with random weights: what the real ones hold, for tests and for measuring without them.

The layout and the geometry are those of FunAudioLLM/Fun-ASR-Nano-2512 and Fun-ASR-MLT-Nano-2512: 1,261 tensors, of
which 914 belong to the SAN-M encoder, 36 to the adaptor and 311 to Qwen3-0.6B; about 985 million numbers in bfloat16.
The tokenizer is one of bytes, so that any text can be written.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal

from core.weights.folder import keep_record
from worker.networks.quiet import quiet

LLM = "Qwen3-0.6B"
WEIGHTS = "model.pt"
_SEED = 20251215
_SPECIAL = ("<|endoftext|>", "<|im_start|>", "<|im_end|>", "<|startofspeech|>", "<|endofspeech|>")
_LAST = "Ċ"
"""The last token of every prompt, as a tokenizer of bytes writes a new line."""
_SURE = 12.0
"""The logit of the word that a reciting model says next, above all others."""


@dataclass(frozen=True)
class Geometry:
    """width: of the encoder's and of the language model's vectors. heads, inner: of their layers. The vocabulary is
    made as large as `tokens`, the tokenizer's own where that is more. tied: the language model's head is its table of
    tokens; where it is not, a small one's nonsense is more than one letter over and over."""

    encoder_width: int
    encoder_heads: int
    encoder_inner: int
    encoder_layers: int
    encoder_top_layers: int
    adaptor_inner: int
    adaptor_layers: int
    width: int
    heads: int
    key_heads: int
    head_width: int
    inner: int
    layers: int
    tokens: int
    tied: bool


SIZES: Mapping[str, Geometry] = {
    "tiny": Geometry(16, 2, 32, 2, 1, 32, 1, 64, 4, 2, 16, 96, 2, 0, False),
    "full": Geometry(512, 4, 2048, 50, 20, 2048, 2, 1024, 16, 8, 128, 3072, 28, 151_936, True),
}


def build(
    folder: Path,
    size: Literal["tiny", "full"] = "tiny",
    *,
    recites: Sequence[str] = (),
    endless: bool = False,
    seed: int = _SEED,
) -> Path:
    """Writes a complete folder of random weights with its record, and gives it back.

    recites: pieces of text, each another, that the model says one after the other to whatever it hears; its layers
    compute all the same, but add nothing. endless: it begins anew behind the last piece and never ends. Without
    them it says nonsense without an end. Needs torch, transformers and funasr.
    """
    folder.mkdir(parents=True, exist_ok=True)
    geometry = SIZES[size]
    llm = folder / LLM
    tokenizer = _tokenizer(recites)
    tokenizer.save_pretrained(str(llm))
    _qwen(geometry, tokenizer, tied=geometry.tied and not recites).save_pretrained(str(llm))
    config = _config(geometry)
    _write(folder, config)
    _save(folder, config, geometry, seed, _chain(tokenizer, recites, endless))
    keep_record(folder, f"random-{size}")
    return folder


def tensors_of(size: Literal["tiny", "full"]) -> Mapping[str, tuple[int, ...]]:
    """The names and shapes of a size's tensors; builds none of them."""
    import torch

    with torch.device("meta"):
        state = _model(_config(SIZES[size]), _qwen(SIZES[size], _tokenizer(()), tied=True)).state_dict()
    return {name: tuple(tensor.shape) for name, tensor in state.items()}


def _tokenizer(pieces: Sequence[str]) -> Any:
    """Bytes are tokens, and so is each piece."""
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    made = Tokenizer(models.BPE(vocab={letter: place for place, letter in enumerate(letters)}, merges=[]))
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    made.add_special_tokens([AddedToken(word, special=True, normalized=False) for word in _SPECIAL])
    made.add_tokens([AddedToken(piece, normalized=False) for piece in pieces])
    ends = {"eos_token": "<|im_end|>", "pad_token": "<|endoftext|>"}
    return PreTrainedTokenizerFast(tokenizer_object=made, **ends)


def _qwen(geometry: Geometry, tokenizer: Any, *, tied: bool) -> Any:
    from transformers import Qwen3Config

    return Qwen3Config(
        vocab_size=max(geometry.tokens, len(tokenizer)),
        hidden_size=geometry.width,
        intermediate_size=geometry.inner,
        num_hidden_layers=geometry.layers,
        num_attention_heads=geometry.heads,
        num_key_value_heads=geometry.key_heads,
        head_dim=geometry.head_width,
        max_position_embeddings=40_960,
        tie_word_embeddings=tied,
        architectures=["Qwen3ForCausalLM"],
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
        bos_token_id=None,
    )


def _config(geometry: Geometry) -> dict[str, Any]:
    """What config.yaml says; paths are left to configuration.json."""
    return {
        "model": "FunASRNano",
        "input_size": 560,
        "dataset_conf": {"do_think": False},
        "audio_encoder": "SenseVoiceEncoderSmall",
        "audio_encoder_conf": {
            "output_size": geometry.encoder_width,
            "attention_heads": geometry.encoder_heads,
            "linear_units": geometry.encoder_inner,
            "num_blocks": geometry.encoder_layers,
            "tp_blocks": geometry.encoder_top_layers,
            "input_layer": "pe",
            "normalize_before": True,
            "kernel_size": 11,
            "sanm_shfit": 0,
            "selfattention_layer_type": "sanm",
            "freeze": True,
        },
        "llm": LLM,
        "llm_conf": {"hub": "hf", "freeze": True, "llm_dtype": "bf16", "init_param_path": LLM},
        "audio_adaptor": "Transformer",
        "audio_adaptor_conf": {
            "downsample_rate": 1,
            "use_low_frame_rate": True,
            "ffn_dim": geometry.adaptor_inner,
            "llm_dim": geometry.width,
            "encoder_dim": geometry.encoder_width,
            "n_layer": geometry.adaptor_layers,
            "attention_heads": geometry.encoder_heads if geometry.width < 1024 else 8,
            "freeze": True,
        },
        "frontend": "WavFrontend",
        "frontend_conf": {"fs": 16_000, "window": "hamming", "n_mels": 80, "frame_length": 25, "frame_shift": 10}
        | {"lfr_m": 7, "lfr_n": 6, "cmvn_file": None},
        "tokenizer": "HuggingfaceTokenizer",
        "tokenizer_conf": {"init_param_path": LLM},
    }


def _write(folder: Path, config: Mapping[str, Any]) -> None:
    """JSON is YAML too."""
    paths = {
        "init_param": WEIGHTS,
        "config": "config.yaml",
        "llm_conf": {"init_param_path": LLM},
        "tokenizer_conf": {"init_param_path": LLM},
    }
    hub = {"framework": "pytorch", "task": "auto-speech-recognition", "file_path_metas": paths}
    (folder / "config.yaml").write_text(json.dumps(config, indent=1), encoding="utf-8")
    (folder / "configuration.json").write_text(json.dumps(hub, indent=1), encoding="utf-8")


def _save(
    folder: Path, config: dict[str, Any], geometry: Geometry, seed: int, chain: Sequence[tuple[int, int]]
) -> None:
    import torch
    from transformers import AutoConfig

    with torch.random.fork_rng(devices=[]):  # else a context is made on each card
        torch.manual_seed(seed)
        state = _model(config, AutoConfig.from_pretrained(str(folder / LLM))).state_dict()
        if chain:
            _teach(state, geometry, chain)
        elif not geometry.tied:
            state["llm.lm_head.weight"].normal_()  # so that no two tokens are all but equally likely
        torch.save({name: tensor.to(torch.bfloat16) for name, tensor in state.items()}, folder / WEIGHTS)


def _model(config: dict[str, Any], qwen: Any) -> Any:
    """The parts of funasr's FunASRNano under their names in it."""
    with quiet():
        from funasr.models.llm_asr.adaptor import Transformer
        from funasr.models.sense_voice.model import SenseVoiceEncoderSmall
    from torch.nn import ModuleDict
    from transformers import AutoModelForCausalLM

    return ModuleDict(
        {
            "audio_encoder": SenseVoiceEncoderSmall(input_size=560, **config["audio_encoder_conf"]),
            "llm": AutoModelForCausalLM.from_config(qwen),
            "audio_adaptor": Transformer(**config["audio_adaptor_conf"]),
        }
    )


def _chain(tokenizer: Any, pieces: Sequence[str], endless: bool) -> list[tuple[int, int]]:
    """Which token follows which."""
    if not pieces:
        return []
    said = tokenizer.convert_tokens_to_ids([_LAST, *pieces])
    return [*pairwise(said), (said[-1], said[1] if endless else tokenizer.eos_token_id)]


def _teach(state: dict[str, Any], geometry: Geometry, chain: Sequence[tuple[int, int]]) -> None:
    """Layers that add nothing leave the last token's vector as it is; the head turns it into the next one's logit."""
    import torch

    for name, tensor in state.items():
        if name.startswith("llm.") and name.endswith(("o_proj.weight", "down_proj.weight")):
            tensor.zero_()
    vectors = torch.randn(len(chain), geometry.width)
    head = state["llm.lm_head.weight"].zero_()
    for (token, following), vector in zip(chain, vectors, strict=True):
        unit = vector / vector.norm()
        state["llm.model.embed_tokens.weight"][token] = unit
        head[following] += unit * _SURE / geometry.width**0.5
