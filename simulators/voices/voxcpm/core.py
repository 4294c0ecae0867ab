"""What callers import from `voxcpm`."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulators.voices.faults import FOLDER
from simulators.voices.mishaps import meet
from simulators.voices.signatures import upstream
from simulators.voices.speech import keep_in
from simulators.voices.voxcpm.model import BOTH_OR_NONE, VoxCPM2Model
from simulators.voices.voxcpm.notes import Notes

_NO_HUB = "is not here, and the double asks no hub"


@upstream("voxcpm.core", "VoxCPM")
class VoxCPM:
    """Of a folder of VoxCPM2; the double has no earlier one, no denoiser and no LoRA."""

    def __init__(
        self,
        voxcpm_model_path: str,
        zipenhancer_model_path: str | None,
        enable_denoiser: bool,
        optimize: bool,
        device: str | None,
        lora_config: Any,
        lora_weights_path: str | None,
    ) -> None:
        if lora_config is not None or lora_weights_path is not None:
            raise NotImplementedError("the double has no LoRA")
        folder = Path(voxcpm_model_path)
        sys.stderr.write(f"voxcpm_model_path: {voxcpm_model_path}, enable_denoiser: {enable_denoiser}\n")
        architecture = json.loads((folder / "config.json").read_text(encoding="utf-8")).get("architecture", "voxcpm")
        if architecture != "voxcpm2":
            raise ValueError(f"Unsupported architecture: {architecture}")
        notes = Notes(folder)
        keep_in(notes.home / FOLDER / "said")
        number = notes.journal.begin("load", {"device": device, "optimize": optimize}, [])
        meet(notes.faults.take("load"))
        self.tts_model = VoxCPM2Model.from_local(voxcpm_model_path, optimize, False, device, None)
        if enable_denoiser and zipenhancer_model_path is not None:
            raise ConnectionError(f"{zipenhancer_model_path} {_NO_HUB}")
        self.denoiser = None
        if optimize:
            self.tts_model.generate(target_text="Hello, this is the first test sentence.", max_len=10)
        notes.journal.end(number, "done")

    @classmethod
    def from_pretrained(
        cls,
        hf_model_id: str,
        load_denoiser: bool,
        zipenhancer_model_id: str,
        cache_dir: str | None,
        local_files_only: bool,
        optimize: bool,
        device: str | None,
        lora_config: Any,
        lora_weights_path: str | None,
        **kwargs: Any,
    ) -> Any:
        if not hf_model_id:
            raise ValueError("You must provide hf_model_id")
        if not Path(hf_model_id).is_dir():
            raise ConnectionError(f"{hf_model_id} {_NO_HUB}")
        return cls(
            voxcpm_model_path=hf_model_id,
            zipenhancer_model_path=zipenhancer_model_id if load_denoiser else None,
            enable_denoiser=load_denoiser,
            optimize=optimize,
            device=device,
            lora_config=lora_config,
            lora_weights_path=lora_weights_path,
            **kwargs,
        )

    def generate(self, *args: Any, **kwargs: Any) -> NDArray[np.float32]:
        make: Any = self._generate
        pieces = make(*args, streaming=False, **kwargs)
        try:
            whole: NDArray[np.float32] = next(pieces)
            return whole
        finally:
            pieces.close()

    def generate_streaming(self, *args: Any, **kwargs: Any) -> Iterator[NDArray[np.float32]]:
        make: Any = self._generate
        pieces: Iterator[NDArray[np.float32]] = make(*args, streaming=True, **kwargs)
        return pieces

    def _generate(
        self,
        text: str,
        prompt_wav_path: str | None,
        prompt_text: str | None,
        reference_wav_path: str | None,
        cfg_value: float,
        inference_timesteps: int,
        min_len: int,
        max_len: int,
        normalize: bool,
        denoise: bool,
        retry_badcase: bool,
        retry_badcase_max_times: int,
        retry_badcase_ratio_threshold: float,
        streaming: bool,
    ) -> Iterator[NDArray[np.float32]]:
        _check(text, prompt_wav_path, prompt_text, reference_wav_path)
        if normalize:
            raise NotImplementedError("the double has no normaliser; upstream's knows Chinese and English alone")
        cache = None
        if prompt_wav_path is not None or reference_wav_path is not None:
            cache = self.tts_model.build_prompt_cache(prompt_text, prompt_wav_path, reference_wav_path, False)
        outputs = self.tts_model._generate_with_prompt_cache(
            re.sub(r"\s+", " ", text), cache, min_len, max_len, inference_timesteps, cfg_value, retry_badcase,
            retry_badcase_max_times, retry_badcase_ratio_threshold, streaming, 4,
        )  # fmt: skip
        try:
            for sound, _, _ in outputs:
                yield sound.squeeze(0).cpu().numpy()
        finally:
            outputs.close()

    @property
    def lora_enabled(self) -> bool:
        return False


def _check(text: Any, prompt_wav: str | None, prompt_text: str | None, reference: str | None) -> None:
    """Raises what upstream raises."""
    if not isinstance(text, str) or not text.strip():
        raise ValueError("target text must be a non-empty string")
    for name, path in (("prompt_wav_path", prompt_wav), ("reference_wav_path", reference)):
        if path is not None and not Path(path).exists():
            raise FileNotFoundError(f"{name} does not exist: {path}")
    if (prompt_wav is None) != (prompt_text is None):
        raise ValueError(BOTH_OR_NONE)
