"""CosyVoice 3 itself, in an environment of its own: imports the standard library, and the rest when it is made.

Upstream is a checkout at a pinned commit, not a package; what is used of it beyond its `inference_…` methods is checked
when it is loaded. What looks at a recording (a graph of 1 GB) works on the processor even beside a card: onnxruntime in
the locked environment knows no CUDA, upstream's wish for it is passed over, and the card keeps that memory.
"""

from __future__ import annotations

import gc
import logging
import os
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from worker.engines.tts.cosyvoice.keeping import Speakers
from worker.engines.tts.cosyvoice.marks import END
from worker.engines.tts.cosyvoice.minding import Minder
from worker.hosting.served import Refused
from worker.voicing.cards import check_card, held_mb

SAMPLE_RATE = 24_000
MATCHA = "third_party/Matcha-TTS"
"""Upstream's submodule, which its configuration names parts of."""

_USED = (
    "add_zero_shot_spk", "inference_zero_shot", "inference_instruct2", "frontend.spk2info",
    "frontend.frontend_zero_shot", "model.llm_job", "model.llm.inference", "model.token_hop_len",
    "model.token2wav", "model.tts_speech_token_dict", "model.llm_end_dict", "model.hift_cache_dict",
)  # fmt: skip

Piece = tuple[dict[str, Any], bytes]


class CosyVoice3:
    """Served: speaks texts by recordings that it has learnt."""

    def __init__(self, progress: Callable[[str], None], *, repo: str, model: str, on_card: bool) -> None:
        """repo: the checkout; model: the folder of weights. Raises Refused for a checkout, weights or a card that are
        not what is meant, and whatever upstream raises."""
        silence()
        sys.path[:0] = [repo, str(Path(repo, MATCHA))]
        progress("importing CosyVoice")
        self._torch = _torch(on_card)
        from cosyvoice.cli.cosyvoice import AutoModel

        progress("loading CosyVoice 3")
        # In halves the flow yields long silences and numbers that are none (upstream's issues 1756 and 1930).
        voice = AutoModel(model_dir=model, fp16=False)
        _check(voice)
        self._voice = voice
        self._speakers = Speakers(voice)
        self._minder = Minder(voice.model, progress)

    def learn(self, *, speaker: str, clip: str) -> Iterator[Piece]:
        """One piece: what `remember` takes. clip: a WAV file of at least 16 kHz and at most 30 s."""
        try:
            learnt = self._speakers.learn(speaker, clip)
        except AssertionError as error:  # upstream's way of refusing a recording
            raise Refused(str(error)) from error
        yield {"speaker": speaker}, learnt

    def remember(self, *, speaker: str, learnt: str) -> Iterator[Piece]:
        """learnt: base64 of what `learn` gave, in this process or another."""
        self._speakers.remember(speaker, learnt)
        yield {"speaker": speaker}, b""

    def speak(
        self, *, speaker: str, prompt: str, text: str, recite: bool, speed: float, seed: int, most_tokens: int
    ) -> Iterator[Piece]:
        """Pieces of float32 little-endian mono at `sample_rate`, as they are made where speed is 1, else one; or one
        piece {"lacks": speaker} without sound where the speaker must be learnt or remembered first.

        recite: whether the language model hears the recording, whose words must then end the prompt. most_tokens:
        25 are a second of speech at speed 1.
        """
        _check_marks(prompt, text)
        if speaker not in self._speakers:
            yield {"lacks": speaker}, b""
            return
        self._torch.manual_seed(seed)
        say = self._voice.inference_zero_shot if recite else self._voice.inference_instruct2
        with self._speakers.prompted(speaker, prompt) as known, self._minder.minding(most_tokens):
            said = say(
                text, prompt, "", zero_shot_spk_id=known, stream=speed == 1.0, speed=speed, text_frontend=False
            )  # fmt: skip
            with closing(said), closing(self._minder.watched(said)) as pieces:
                for piece in pieces:
                    yield {"sample_rate": SAMPLE_RATE, "tokens": self._minder.tokens}, _bytes(piece["tts_speech"])

    def memory(self) -> dict[str, int]:
        """gpu_mb: MiB of the card that this process holds, by torch's allocator and CUDA itself."""
        if not self._torch.cuda.is_available():
            return {"gpu_mb": 0}
        return {"gpu_mb": held_mb(self._torch)}

    def tidy(self) -> None:
        gc.collect()
        if self._torch.cuda.is_available():
            self._torch.cuda.empty_cache()


def silence() -> None:
    """Upstream logs every text, draws a bar for each, and sets up logging when it is imported."""
    os.environ["TQDM_DISABLE"] = "1"
    logging.disable(logging.CRITICAL)
    warnings.simplefilter("ignore")


def _torch(on_card: bool) -> Any:
    """torch, told to multiply float32 by the card's tensor cores. Raises Refused where the card is not there: upstream
    would quietly go on without."""
    import torch

    if on_card:
        check_card(torch, "CosyVoice")
    torch.backends.cuda.matmul.allow_tf32 = True
    return torch


def _check(voice: Any) -> None:
    if type(voice).__name__ != "CosyVoice3":
        raise Refused(f"the weights are those of {type(voice).__name__}, not of CosyVoice 3")
    lacking = [name for name in _USED if not _has(voice, name)]
    if lacking:
        raise Refused(
            f"this checkout of CosyVoice has no {', '.join(lacking)}: use the commit that models/manifest.toml names"
        )
    if voice.sample_rate != SAMPLE_RATE:
        raise Refused(f"the weights speak at {voice.sample_rate} Hz, not at {SAMPLE_RATE}")


def _has(found: Any, path: str) -> bool:
    for name in path.split("."):
        if not hasattr(found, name):
            return False
        found = getattr(found, name)
    return True


def _check_marks(prompt: str, text: str) -> None:
    if prompt.count(END) != 1:
        raise Refused(f"a prompt of CosyVoice 3 holds {END} once")
    if "<|" in text:
        raise Refused("the text holds a mark of the tokenizer")


def _bytes(speech: Any) -> bytes:
    """Of a tensor (1, n)."""
    import numpy as np

    return np.asarray(speech.squeeze(0).numpy(), "<f4").tobytes()
