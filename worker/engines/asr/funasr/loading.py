"""funasr's own loader, held to a folder on this machine."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from core.errors import ASRError
from worker.networks.quiet import quiet

_WEIGHTS = "model.pt"
_LLM = "Qwen3-0.6B"
_AMPERE = (8, 0)
"""Compute capability of the first cards that count in bfloat16 (CUDA C++ Programming Guide, "Arithmetic
Instructions"). The card that is meant is asked, where several of different kinds are here."""


def load_model(folder: Path, device: str) -> Any:
    """The folder's AutoModel on the device, ready for `generate`. Asks no network: every part is named by its path,
    and a part that lies elsewhere is refused. Raises ASRError for a folder that is no Fun-ASR Nano, whole; whatever
    funasr and torch raise for broken files."""
    import torch

    for part in (
        folder / _WEIGHTS,
        folder / "config.yaml",
        folder / "configuration.json",
        folder / _LLM / "config.json",
    ):
        if not part.is_file():
            raise ASRError(f"{folder} holds no Fun-ASR Nano: {part.relative_to(folder)} is missing")
    wanted = torch.device(device)
    if wanted.type == "cuda" and (wanted.index or 0) >= torch.cuda.device_count():
        raise ASRError(f"torch finds no card for {device}: mend its driver, or set SMARTTALKER_DEVICE=cpu")
    with quiet():
        from funasr import AutoModel

        loaded = AutoModel(**_arguments(folder, device, torch.get_num_threads()))
    _check(loaded, folder)
    loaded.model.llm.to(getattr(torch, {"bf16": "bfloat16", "fp16": "float16", "fp32": "float32"}[precision(device)]))
    return loaded


def precision(device: str) -> str:
    """Of the language model: halves on a card, which bfloat16's range suits better, whole numbers on a processor.
    The encoder always counts with whole ones. The configuration's own `llm_dtype` stays: it says in which precision
    the model is put together before, which rounds its rotary positions as they were in training."""
    import torch

    if not device.startswith("cuda"):
        return "fp32"
    return "bf16" if torch.cuda.get_device_capability(device) >= _AMPERE else "fp16"


def _arguments(folder: Path, device: str, threads: int) -> dict[str, Any]:
    """What config.yaml must not decide is given here, since arguments outweigh it."""
    llm = str(folder / _LLM)
    return {
        "model": str(folder),
        "hub": "hf",
        "device": device,
        "ncpu": threads,
        "disable_update": True,
        "disable_pbar": True,
        "trust_remote_code": False,
        "init_param": str(folder / _WEIGHTS),
        "ignore_init_mismatch": False,
        "llm_conf": {"init_param_path": llm},
        "tokenizer_conf": {"init_param_path": llm},
        "audio_encoder_conf": {"hub": None},
        "frontend_conf": {"dither": 0.0},  # the same sound gives the same text
        "ctc_decoder": None,  # the published weights have none; without it no time is spent on timestamps
        "vad_model": None,
        "punc_model": None,
        "spk_model": None,
    }


def _check(loaded: Any, folder: Path) -> None:
    """funasr goes on with random numbers where the file of weights lacks some."""
    import torch
    from funasr.models.fun_asr_nano.checkpoint_utils import normalize_checkpoint_state

    if type(loaded.model).__name__ != "FunASRNano":
        raise ASRError(f"{folder} holds no Fun-ASR Nano but {type(loaded.model).__name__}")
    there = normalize_checkpoint_state(torch.load(folder / _WEIGHTS, map_location="meta", weights_only=True))
    lacking = sorted(set(loaded.model.state_dict()) - set(there))
    if lacking:
        raise ASRError(f"{folder / _WEIGHTS} lacks {len(lacking)} of the model's tensors, {lacking[0]} first")
