"""Text tokens to speech tokens, 25 a second. The sound that they stand for is made here and cut up later."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from simulators.voices import torch
from simulators.voices.cosyvoice.frontend import END_OF_PROMPT, Tokenizer, variant_of
from simulators.voices.faults import Fault
from simulators.voices.signatures import upstream
from simulators.voices.speech import Manner, Sound, speak
from simulators.voices.tensor import Tensor

SAMPLE_RATE = 24_000
TOKEN = SAMPLE_RATE // 25
"""Samples."""
_MANNERS = (
    ("开心", {"pitch": 66, "faster": 1.06}),
    ("伤心", {"pitch": 42, "faster": 0.88}),
    ("生气", {"pitch": 55, "louder": 1.5}),
    ("loudly", {"louder": 1.8}),
    ("soft", {"louder": 0.6}),
    ("慢", {"faster": 0.75}),
    ("快", {"faster": 1.3}),
)


@upstream("cosyvoice.llm.llm", "CosyVoice3LM")
class CosyVoice3LM:
    """Knows what the tokens mean by the frontend's tokenizer."""

    def __init__(
        self,
        llm_input_size: int,
        llm_output_size: int,
        speech_token_size: int,
        llm: Any,
        sampling: Any,
        length_normalized_loss: bool,
        lsm_weight: float,
        mix_ratio: Any,
    ) -> None:
        self._tokenizer: Tokenizer = llm
        self._sounds: dict[str, Sound] = {}
        self.fault: Fault | None = None

    def inference(
        self,
        text: Tensor,
        text_len: Tensor,
        prompt_text: Tensor,
        prompt_text_len: Tensor,
        prompt_speech_token: Tensor,
        prompt_speech_token_len: Tensor,
        embedding: Tensor,
        sampling: int,
        max_token_text_ratio: float,
        min_token_text_ratio: float,
        uuid: str,
    ) -> Iterator[int]:
        before, said = _tokens(prompt_text), _tokens(text)
        if END_OF_PROMPT not in before + said:
            raise AssertionError("<|endofprompt|> not detected in CosyVoice3 text or prompt_text, check your input!")
        if self.fault is not None and self.fault.effect == "thread":
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 MiB.")
        least, most = (int(len(said) * ratio) for ratio in (min_token_text_ratio, max_token_text_ratio))
        sound = self._sound(before, said, variant_of(embedding))
        runs_on = self.fault is not None and self.fault.effect == "runaway" and sound.size
        count = most if runs_on else min(max(math.ceil(sound.size / TOKEN), least), most)
        self._sounds[uuid] = np.resize(sound, count * TOKEN) if runs_on else _fitted(sound, count * TOKEN)
        yield from range(count)

    def _sound(self, before: list[int], said: list[int], variant: str) -> Sound:
        """What stands before the end of the prompt is an instruction, and what is spoken comes after it."""
        words = self._tokenizer.decode(said).rpartition("<|endofprompt|>")
        if not words[2].strip():
            return np.zeros(0, np.float32)
        told = self._tokenizer.decode(before).partition("<|endofprompt|>")[0] + words[0]
        changes: dict[str, Any] = next((more for word, more in _MANNERS if word in told), {})
        return speak(words[2], Manner(variant, **changes), SAMPLE_RATE, torch.initial_draw())

    def _taken(self, uuid: str, first: int, end: int) -> Sound:
        return self._sounds[uuid][first * TOKEN : end * TOKEN]


def _tokens(tensor: Tensor) -> list[int]:
    return [int(each) for each in tensor.flatten().tolist()]


def _fitted(sound: Sound, count: int) -> Sound:
    return np.pad(sound, (0, max(0, count - sound.size)))[:count]
