"""Text and clips to what the model takes."""

from __future__ import annotations

import re
from collections.abc import Generator
from typing import Any

import numpy as np

from simulators.voices.signatures import upstream
from simulators.voices.speech import VARIANTS, read_clip
from simulators.voices.tensor import Tensor

END_OF_PROMPT = 151646
_SPECIAL = "<|endofprompt|>"
_PIECE = re.compile(r"<\|endofprompt\|>|\s?[^\W_]{1,4}|.", re.S)
_MARKS = ".?!;:。？！；：、"
_TOGETHER = 80
"""The most tokens that upstream joins sentences to."""
_TOKENS_A_SECOND = 25
_LONGEST_S = 30
_LOWEST_HZ = 16_000


def voiceprint(variant: str) -> Tensor:
    """An embedding (1, 192) whose first number says which of eSpeak's variants it stands for."""
    values = np.zeros((1, 192), np.float32)
    values[0, 0] = VARIANTS.index(variant)
    return Tensor(values)


def variant_of(embedding: Tensor) -> str:
    return VARIANTS[int(embedding[0, 0].item())]


class Tokenizer:
    """Ids for pieces of up to four letters, given out as they are met."""

    def __init__(self) -> None:
        self._pieces = {END_OF_PROMPT: _SPECIAL}
        self._ids = {_SPECIAL: END_OF_PROMPT}

    def encode(self, text: str, allowed_special: Any = "all") -> list[int]:
        return [self._id(piece) for piece in _PIECE.findall(text)]

    def decode(self, tokens: list[int]) -> str:
        return "".join(self._pieces[each] for each in tokens)

    def _id(self, piece: str) -> int:
        if piece not in self._ids:
            self._ids[piece] = len(self._ids)
            self._pieces[self._ids[piece]] = piece
        return self._ids[piece]


@upstream("cosyvoice.cli.frontend", "CosyVoiceFrontEnd")
class CosyVoiceFrontEnd:
    """Made by the model's class."""

    def __init__(
        self,
        get_tokenizer: Any,
        feat_extractor: Any,
        campplus_model: str,
        speech_tokenizer_model: str,
        spk2info: str,
        allowed_special: str,
    ) -> None:
        self.tokenizer = get_tokenizer()
        self.spk2info: dict[str, dict[str, Tensor]] = {}
        self.allowed_special = allowed_special

    def text_normalize(self, text: Any, split: bool, text_frontend: bool) -> Any:
        if isinstance(text, Generator):
            return [text]
        if "<|" in text and "|>" in text:
            text_frontend = False
        if text_frontend is False or text == "":
            return [text] if split is True else text
        parts = [part for part in self._parts(text.strip()) if re.search(r"\w", part)]
        return parts if split is True else text.strip()

    def _parts(self, text: str) -> list[str]:
        """Sentences, joined while they are short."""
        found = [""]
        for sentence in re.findall(f"[^{_MARKS}]+[{_MARKS}]*|[{_MARKS}]+", text):
            if len(self.tokenizer.encode(found[-1] + sentence)) > _TOGETHER:
                found.append("")
            found[-1] += sentence
        return found

    def frontend_zero_shot(
        self, tts_text: Any, prompt_text: str, prompt_wav: Any, resample_rate: int, zero_shot_spk_id: str
    ) -> dict[str, Tensor]:
        tokens, count = self._extract_text_token(tts_text)
        if zero_shot_spk_id != "":
            return {**self.spk2info[zero_shot_spk_id], "text": tokens, "text_len": count}
        prompt, prompt_count = self._extract_text_token(prompt_text)
        speech, print_ = self._clip(prompt_wav)
        return {
            "prompt_text": prompt,
            "prompt_text_len": prompt_count,
            "llm_prompt_speech_token": speech,
            "llm_prompt_speech_token_len": _length(speech),
            "flow_prompt_speech_token": speech,
            "flow_prompt_speech_token_len": _length(speech),
            "prompt_speech_feat": Tensor(np.zeros((1, 2 * speech.shape[1], 80), np.float32)),
            "prompt_speech_feat_len": Tensor(np.array([2 * speech.shape[1]])),
            "llm_embedding": print_,
            "flow_embedding": print_,
            "text": tokens,
            "text_len": count,
        }

    def frontend_cross_lingual(
        self, tts_text: Any, prompt_wav: Any, resample_rate: int, zero_shot_spk_id: str
    ) -> dict[str, Tensor]:
        given = self.frontend_zero_shot(tts_text, "", prompt_wav, resample_rate, zero_shot_spk_id)
        lost = ("prompt_text", "prompt_text_len", "llm_prompt_speech_token", "llm_prompt_speech_token_len")
        return {name: value for name, value in given.items() if name not in lost}

    def frontend_instruct2(
        self, tts_text: Any, instruct_text: str, prompt_wav: Any, resample_rate: int, zero_shot_spk_id: str
    ) -> dict[str, Tensor]:
        """For a kept speaker the instruction is lost, as upstream loses it."""
        given = self.frontend_zero_shot(tts_text, instruct_text, prompt_wav, resample_rate, zero_shot_spk_id)
        return {name: value for name, value in given.items() if not name.startswith("llm_prompt_speech_token")}

    def _extract_text_token(self, text: Any) -> tuple[Tensor, Tensor]:
        if isinstance(text, Generator):
            raise NotImplementedError("the double takes no generator of texts")
        tokens = Tensor(np.array([self.tokenizer.encode(text, allowed_special=self.allowed_special)], np.int32))
        return tokens, _length(tokens)

    def _clip(self, path: Any) -> tuple[Tensor, Tensor]:
        """Raises what upstream raises for a clip that is missing, coarse or long."""
        clip = read_clip(path)
        if clip.rate < _LOWEST_HZ:
            raise AssertionError(f"wav sample rate {clip.rate} must be greater than 24000")
        if clip.seconds > _LONGEST_S:
            raise AssertionError("do not support extract speech token for audio longer than 30s")
        return Tensor(np.zeros((1, int(clip.seconds * _TOKENS_A_SECOND)), np.int32)), voiceprint(clip.variant)


def _length(tokens: Tensor) -> Tensor:
    return Tensor(np.array([tokens.shape[1]], np.int32))
