"""The model below the pipeline: patches of 160 ms at 48 kHz."""

from __future__ import annotations

import json
import math
import re
import sys
import warnings
import zlib
from collections.abc import Generator, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np

from simulators.voices import torch
from simulators.voices.faults import Fault
from simulators.voices.mishaps import spoilt
from simulators.voices.signatures import upstream
from simulators.voices.speech import Manner, Sound, read_clip, speak
from simulators.voices.tensor import Tensor
from simulators.voices.voxcpm.notes import Notes

SAMPLE_RATE = 48_000
PATCH = SAMPLE_RATE * 4 // 25
"""Samples of four latents."""
_TOKEN = re.compile(r"\s?[^\W_]{1,4}|.", re.S)
_STYLE = re.compile(r"\s*[(（]([^)）]*)[)）]\s*")
_MANNERS = (
    ("cheer", {"pitch": 64, "faster": 1.06}),
    ("happy", {"pitch": 64, "faster": 1.06}),
    ("sad", {"pitch": 42, "faster": 0.9}),
    ("soft", {"louder": 0.6}),
    ("gentle", {"louder": 0.8}),
    ("calm", {"faster": 0.96}),
)
BOTH_OR_NONE = "prompt_wav_path and prompt_text must both be provided or both be None"

Output = tuple[Tensor, Tensor, list[Tensor]]


class Features(Tensor):
    """Latents (T, 4, 64) of a clip that know which of eSpeak's variants they stand for."""

    def __init__(self, path: str) -> None:
        clip = read_clip(path)
        super().__init__(np.zeros((math.ceil(len(clip.samples) / clip.rate / 0.16), 4, 64), np.float32))
        self.variant, self.path = clip.variant, str(path)


@upstream("voxcpm.model.voxcpm2", "VoxCPM2Model")
class VoxCPM2Model:
    """Made by from_local."""

    def __init__(self, config: Any, tokenizer: Any, audio_vae: Any, lora_config: Any, device: str | None) -> None:
        self.config, self.lora_config, self.audio_vae = config, lora_config, audio_vae
        self.device = _device(device)
        self.text_tokenizer = tokenizer
        self.sample_rate, self.patch_size, self.chunk_size = SAMPLE_RATE, 4, 640
        self._notes: Notes
        self._fault: Fault | None = None

    @classmethod
    def from_local(cls, path: str, optimize: bool, training: bool, device: str | None, lora_config: Any) -> Any:
        folder = Path(path)
        config = SimpleNamespace(**json.loads((folder / "config.json").read_text(encoding="utf-8")))
        if not (folder / "tokenizer.json").exists():
            raise OSError(f"Can't load tokenizer for '{path}'.")
        vae = [folder / f"audiovae.{ending}" for ending in ("safetensors", "pth")]
        if not any(each.exists() for each in vae):
            raise FileNotFoundError(f"AudioVAE checkpoint not found. Expected either {vae[0]} or {vae[1]}")
        model = cls(
            config,
            _tokens,
            SimpleNamespace(sample_rate=16_000, out_sample_rate=SAMPLE_RATE, chunk_size=640),
            lora_config,
            device,
        )
        weights = [folder / name for name in ("model.safetensors", "pytorch_model.bin")]
        if not any(each.exists() for each in weights):
            raise FileNotFoundError(f"Model file not found. Expected either {weights[0]} or {weights[1]}")
        model._notes = Notes(folder)
        return model.optimize(disable=not optimize)

    def optimize(self, disable: bool) -> Any:
        if not disable:
            sys.stderr.write("Warning: torch.compile disabled - VoxCPMModel can only be optimized on CUDA device\n")
        return self

    def build_prompt_cache(
        self,
        prompt_text: str | None,
        prompt_wav_path: str | None,
        reference_wav_path: str | None,
        trim_silence_vad: bool,
    ) -> dict[str, Any]:
        if (prompt_wav_path is None) != (prompt_text is None):
            raise ValueError(BOTH_OR_NONE)
        if prompt_wav_path is None and reference_wav_path is None:
            raise ValueError("At least one of prompt_wav_path or reference_wav_path must be provided")
        cache: dict[str, Any] = {}
        if reference_wav_path:
            cache["ref_audio_feat"] = Features(reference_wav_path)
        if prompt_wav_path and prompt_text is not None:
            cache |= {"prompt_text": prompt_text, "audio_feat": Features(prompt_wav_path)}
        kinds = {(True, True): "ref_continuation", (True, False): "reference"}
        return {**cache, "mode": kinds.get(("ref_audio_feat" in cache, "audio_feat" in cache), "continuation")}

    def generate(self, *args: Any, **kwargs: Any) -> Tensor:
        make: Any = self._generate
        sound: Tensor = next(make(*args, streaming=False, **kwargs))
        return sound

    def _generate(
        self,
        target_text: str,
        prompt_text: str,
        prompt_wav_path: str,
        reference_wav_path: str,
        min_len: int,
        max_len: int,
        inference_timesteps: int,
        cfg_value: float,
        retry_badcase: bool,
        retry_badcase_max_times: int,
        retry_badcase_ratio_threshold: float,
        trim_silence_vad: bool,
        streaming: bool,
        streaming_prefix_len: int,
    ) -> Iterator[Tensor]:
        """Only as a warm-up asks: in no one's voice."""
        if prompt_wav_path or reference_wav_path:
            raise NotImplementedError("the double imitates through build_prompt_cache")
        yield Tensor(self._sound(target_text, {}, min_len, max_len)[None])

    def generate_with_prompt_cache_streaming(self, *args: Any, **kwargs: Any) -> Generator[Output, None, None]:
        make: Any = self._generate_with_prompt_cache
        found: Generator[Output, None, None] = make(*args, streaming=True, **kwargs)
        return found

    def generate_with_prompt_cache(self, *args: Any, **kwargs: Any) -> Output:
        make: Any = self._generate_with_prompt_cache
        found: Output = next(make(*args, streaming=False, **kwargs))
        return found

    def _generate_with_prompt_cache(
        self,
        target_text: str,
        prompt_cache: dict[str, Any] | None,
        min_len: int,
        max_len: int,
        inference_timesteps: int,
        cfg_value: float,
        retry_badcase: bool,
        retry_badcase_max_times: int,
        retry_badcase_ratio_threshold: float,
        streaming: bool,
        streaming_prefix_len: int,
    ) -> Generator[Output, None, None]:
        if retry_badcase and streaming:
            warnings.warn(
                "Retry on bad cases is not supported in streaming mode, setting retry_badcase=False.", stacklevel=2
            )
        cache, tokens = prompt_cache or {}, self.text_tokenizer(target_text)
        most = min(int(len(tokens) * retry_badcase_ratio_threshold + 10), max_len)
        number = self._notes.journal.begin(
            "generate", _given(target_text, cache, most, streaming), _odd(target_text, cache)
        )
        fault = self._fault = self._notes.faults.take("speak", target_text)
        count, samples, end = 0, 0, "closed"
        try:
            sound = self._sound(target_text, cache, min_len, most)
            size = PATCH if streaming else len(sound)
            pieces = (sound[at : at + size] for at in range(0, len(sound), size))
            for piece in spoilt(pieces, fault, SAMPLE_RATE, target_text):
                count, samples = count + 1, samples + len(piece)
                yield Tensor(piece[None]), Tensor(np.array(tokens)), []
            end = "done"
        except Exception as error:
            end = type(error).__name__
            raise
        finally:
            self._notes.journal.end(number, end, count, samples / SAMPLE_RATE)

    def _sound(self, text: str, cache: dict[str, Any], min_len: int, most: int) -> Sound:
        """Whole patches, at most so many: the model ends where it is done."""
        clip = cache.get("ref_audio_feat") or cache.get("audio_feat")
        style = None if "prompt_text" in cache else _STYLE.match(text)
        changes: dict[str, Any] = next((more for word, more in _MANNERS if style and word in style[1].lower()), {})
        said = text[style.end() :] if style else text
        manner = Manner(clip.variant if isinstance(clip, Features) else "", **changes)
        whole = speak(said, manner, SAMPLE_RATE, torch.initial_draw())
        if self._fault is not None and self._fault.effect == "runaway":
            return np.resize(whole, most * PATCH)
        count = min(max(math.ceil(len(whole) / PATCH), min_len + 2), most)
        return np.pad(whole, (0, max(0, count * PATCH - len(whole))))[: count * PATCH]


def _given(text: str, cache: dict[str, Any], most: int, streaming: bool) -> dict[str, Any]:
    clips: dict[str, Any] = {name: cache[name].path for name in ("ref_audio_feat", "audio_feat") if name in cache}
    words = cache.get("prompt_text")
    return {"text": text, **clips, "prompt_text": words, "max_len": most, "streaming": streaming}


def _odd(text: str, cache: dict[str, Any]) -> list[str]:
    styled = "prompt_text" in cache and _STYLE.match(text)
    return ["a style is spoken aloud where the recording's words are given"] if styled else []


def _tokens(text: str) -> list[int]:
    return [zlib.crc32(piece.encode()) % 70_000 for piece in _TOKEN.findall(text)]


def _device(asked: str | None) -> str:
    """Raises ValueError for a card: there is none."""
    name = (asked or "auto").strip().lower()
    if name in ("auto", "cpu"):
        return "cpu"
    if name.startswith("cuda"):
        raise ValueError(
            f"Requested device '{asked}', but CUDA is not available. Use device='auto' for automatic fallback."
        )
    raise ValueError(f"Unsupported device '{asked}'. Supported values are 'auto', 'cpu', 'mps', 'cuda'.")
