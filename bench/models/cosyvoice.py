"""Folders of CosyVoice 3 with random weights: what the published one holds, for tests and for measuring without it.

`build` writes the texts and the two ONNX networks, and runs this file as a program in the environment of CosyVoice,
where the upstream code itself reads cosyvoice3.yaml and makes the tensors; the file imports nothing of ours at its top:

    PYTHON -P bench/models/cosyvoice.py FOLDER CHECKOUT [--endless]

Where the figures of the full size are from: those of the flow and of the vocoder are examples/libritts/cosyvoice3/conf/
cosyvoice3.yaml of the checkout, those of the language model Qwen2-0.5B's published configuration. Checked: the numbers
of four bytes that llm.pt, flow.pt and hift.pt hold are their sizes in models/manifest.toml, less what torch writes
around them. Of the two ONNX networks only inputs, outputs and sizes are known here: they are a transformer and
convolutions of as many weights (967 and 29 MB), and run once for each recording of a voice.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

Size = Literal["tiny", "full"]

LLM = "CosyVoice-BlankEN"
_SEED = 20_251_215
_BUILT_IN_S = 1800
_END = 151_643
"""Tokens before Qwen's first special one. Upstream holds <|endofprompt|> to be token 151646, the fourth."""
_SPECIAL = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")
_TABLE = 151_936
_SOUNDS = 6561
_NEVER = -1000.0


@dataclass(frozen=True)
class Geometry:
    """width … inner: of the language model. flow_…: of the diffusion transformer, whose heads are 64 wide; ahead: the
    channels of the layer that looks ahead. waves: the vocoder's first width; pitch: the width of what finds the pitch.
    codes_…: of the network that turns the recording into codes; voice_…: of that which tells voices apart."""

    width: int
    layers: int
    heads: int
    key_heads: int
    inner: int
    flow_width: int
    flow_layers: int
    flow_heads: int
    ahead: int
    waves: int
    pitch: int
    codes_width: int
    codes_heads: int
    codes_layers: int
    voice_width: int
    voice_layers: int


SIZES: Mapping[str, Geometry] = {
    "tiny": Geometry(*(16, 1, 2, 1, 32), *(64, 1, 1, 16), *(16, 16), *(32, 2, 1), *(32, 2)),
    "full": Geometry(*(896, 24, 14, 2, 4864), *(1024, 22, 16, 1024), *(512, 512), *(1280, 20, 12), *(512, 10)),
}

_YAML = """
sample_rate: 24000
qwen_pretrain_path: ''
token_frame_rate: 25
token_mel_ratio: 2

llm: !new:cosyvoice.llm.llm.CosyVoice3LM
    llm_input_size: {width}
    llm_output_size: {width}
    speech_token_size: 6561
    length_normalized_loss: True
    lsm_weight: 0
    mix_ratio: [5, 15]
    llm: !new:cosyvoice.llm.llm.Qwen2Encoder
        pretrain_path: !ref <qwen_pretrain_path>
    sampling: !name:cosyvoice.utils.common.ras_sampling
        top_p: 0.8
        top_k: 25
        win_size: 10
        tau_r: 0.1

flow: !new:cosyvoice.flow.flow.CausalMaskedDiffWithDiT
    input_size: 80
    output_size: 80
    spk_embed_dim: 192
    output_type: mel
    vocab_size: 6561
    input_frame_rate: !ref <token_frame_rate>
    only_mask_loss: True
    token_mel_ratio: !ref <token_mel_ratio>
    pre_lookahead_len: 3
    pre_lookahead_layer: !new:cosyvoice.transformer.upsample_encoder.PreLookaheadLayer
        in_channels: 80
        channels: {ahead}
        pre_lookahead_len: 3
    decoder: !new:cosyvoice.flow.flow_matching.CausalConditionalCFM
        in_channels: 240
        n_spks: 1
        spk_emb_dim: 80
        cfm_params: !new:omegaconf.DictConfig
            content: {{sigma_min: 0.000001, solver: euler, t_scheduler: cosine, training_cfg_rate: 0.2,
                inference_cfg_rate: 0.7, reg_loss_type: l1}}
        estimator: !new:cosyvoice.flow.DiT.dit.DiT
            dim: {flow_width}
            depth: {flow_layers}
            heads: {flow_heads}
            dim_head: 64
            ff_mult: 2
            mel_dim: 80
            mu_dim: 80
            spk_dim: 80
            out_channels: 80
            static_chunk_size: 50
            num_decoding_left_chunks: -1

hift: !new:cosyvoice.hifigan.generator.CausalHiFTGenerator
    in_channels: 80
    base_channels: {waves}
    nb_harmonics: 8
    sampling_rate: !ref <sample_rate>
    nsf_alpha: 0.1
    nsf_sigma: 0.003
    nsf_voiced_threshold: 10
    upsample_rates: [8, 5, 3]
    upsample_kernel_sizes: [16, 11, 7]
    istft_params: {{n_fft: 16, hop_len: 4}}
    resblock_kernel_sizes: [3, 7, 11]
    resblock_dilation_sizes: [[1, 3, 5], [1, 3, 5], [1, 3, 5]]
    source_resblock_kernel_sizes: [7, 7, 11]
    source_resblock_dilation_sizes: [[1, 3, 5], [1, 3, 5], [1, 3, 5]]
    lrelu_slope: 0.1
    audio_limit: 0.99
    conv_pre_look_right: 4
    f0_predictor: !new:cosyvoice.hifigan.f0_predictor.CausalConvRNNF0Predictor
        num_class: 1
        in_channels: 80
        cond_channels: {pitch}

get_tokenizer: !name:cosyvoice.tokenizer.tokenizer.get_qwen_tokenizer
    token_path: !ref <qwen_pretrain_path>
    skip_special_tokens: True
    version: cosyvoice3
allowed_special: all
feat_extractor: !name:matcha.utils.audio.mel_spectrogram
    n_fft: 1920
    num_mels: 80
    sampling_rate: !ref <sample_rate>
    hop_size: 480
    win_size: 1920
    fmin: 0
    fmax: null
    center: False
"""


def build(folder: Path, size: Size, python: Path, checkout: Path, *, endless: bool = False) -> Path:
    """Writes a complete folder with its record, and gives it back. python, checkout: an environment of CosyVoice and
    its repository, with the submodule.

    endless: the model never says that it is done, so that a call yields as many tokens as it is allowed; else each
    token is the last one with a chance of about 3 %. Raises OSError, subprocess.CalledProcessError with the program's
    stderr.
    """
    from bench.models.graphs import write_speaker, write_speech_tokenizer
    from core.weights.folder import keep_record

    geometry = SIZES[size]
    (folder / LLM).mkdir(parents=True, exist_ok=True)
    (folder / "cosyvoice3.yaml").write_text(_YAML.format(**vars(geometry)), encoding="utf-8")
    (folder / "configuration.json").write_text('{"framework": "pytorch"}', encoding="utf-8")
    _write_words(folder / LLM, geometry)
    codes = {"width": geometry.codes_width, "heads": geometry.codes_heads, "layers": geometry.codes_layers}
    write_speech_tokenizer(folder / "speech_tokenizer_v3.onnx", **codes, seed=_SEED)
    write_speaker(folder / "campplus.onnx", width=geometry.voice_width, layers=geometry.voice_layers, seed=_SEED)
    asked = [str(folder.resolve()), str(checkout.resolve()), *(["--endless"] if endless else [])]
    subprocess.run(
        [python, "-P", Path(__file__).resolve(), *asked], check=True, capture_output=True, timeout=_BUILT_IN_S
    )
    keep_record(folder, f"random-{size}")
    return folder


def write_tensors(folder: Path, *, endless: bool = False, seed: int = _SEED) -> None:
    """llm.pt, flow.pt, hift.pt and Qwen's own file, after the texts are there. Needs all of CosyVoice."""
    import torch
    from hyperpyyaml import load_hyperpyyaml
    from transformers import AutoConfig, Qwen2ForCausalLM

    torch.manual_seed(seed)
    base = folder / LLM
    Qwen2ForCausalLM(AutoConfig.from_pretrained(base)).to(torch.bfloat16).save_pretrained(base)
    with (folder / "cosyvoice3.yaml").open(encoding="utf-8") as text:
        parts = load_hyperpyyaml(text, overrides={"qwen_pretrain_path": str(base)})
    speech = parts["llm"].float().state_dict()
    if endless:
        _never_end(speech)
    torch.save(speech, folder / "llm.pt")
    torch.save(parts["flow"].state_dict(), folder / "flow.pt")
    torch.save(parts["hift"].state_dict(), folder / "hift.pt")


def _never_end(state: Mapping[str, Any]) -> None:
    """The first number of each vector is one and no layer changes it, so the head can hold it against every code that
    is no sound."""
    for name, tensor in state.items():
        if name.endswith(("o_proj.weight", "down_proj.weight")):
            tensor[0] = 0
        elif name.endswith(("embed_tokens.weight", "speech_embedding.weight")):
            tensor[:, 0] = 1
    head = state["llm_decoder.weight"]
    head[:, 0] = 0
    head[_SOUNDS:] = 0
    head[_SOUNDS:, 0] = _NEVER


def _write_words(folder: Path, geometry: Geometry) -> None:
    """Qwen's configuration, and a tokenizer of bytes whose table is filled up to where the special tokens begin."""
    qwen = {
        "architectures": ["Qwen2ForCausalLM"],
        "model_type": "qwen2",
        "hidden_size": geometry.width,
        "intermediate_size": geometry.inner,
        "num_hidden_layers": geometry.layers,
        "num_attention_heads": geometry.heads,
        "num_key_value_heads": geometry.key_heads,
        "vocab_size": _TABLE,
        "max_position_embeddings": 32_768,
        "rms_norm_eps": 1e-6,
        "rope_theta": 1_000_000.0,
        "tie_word_embeddings": True,
        "torch_dtype": "bfloat16",
        "bos_token_id": _END,
        "eos_token_id": _END + 2,
    }
    words = [*_letters_of_bytes(), *(f"<filler_{place}>" for place in range(256, _END))]
    special = {_END + place: {"content": word, "special": True} for place, word in enumerate(_SPECIAL)}
    tokenizer = {
        "tokenizer_class": "Qwen2Tokenizer",
        "added_tokens_decoder": special,
        "eos_token": _SPECIAL[0],
        "pad_token": _SPECIAL[0],
        "unk_token": _SPECIAL[0],
    }
    (folder / "config.json").write_text(json.dumps(qwen, indent=1), encoding="utf-8")
    (folder / "tokenizer_config.json").write_text(json.dumps(tokenizer, indent=1), encoding="utf-8")
    (folder / "vocab.json").write_text(json.dumps({word: place for place, word in enumerate(words)}), encoding="utf-8")
    (folder / "merges.txt").write_text("#version: 0.2\n", encoding="utf-8")


def _letters_of_bytes() -> list[str]:
    """How a tokenizer of bytes writes each: printable ones of Latin-1 as they are, the rest as the letters from U+0100
    on."""
    plain = {*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)}
    rest = iter(range(0x100, 0x200))
    return [chr(byte if byte in plain else next(rest)) for byte in range(256)]


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="the tensors of a folder of CosyVoice 3 with random weights")
    parser.add_argument("folder", type=Path)
    parser.add_argument("checkout", type=Path)
    parser.add_argument("--endless", action="store_true")
    asked = parser.parse_args(arguments)
    sys.path[:0] = [str(asked.checkout), str(asked.checkout / "third_party" / "Matcha-TTS")]
    write_tensors(asked.folder, endless=asked.endless)


if __name__ == "__main__":
    main()
