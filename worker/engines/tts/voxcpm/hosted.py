"""VoxCPM2 itself, in its own environment: voxcpm 2.0.3 and what it stands on, and the standard library."""

from __future__ import annotations

import inspect
import math
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from worker.engines.tts.voxcpm.loading import free, loaded
from worker.engines.tts.voxcpm.prompts import Prompts
from worker.hosting.served import Progress
from worker.voicing.cards import held_mb

Piece = tuple[dict[str, Any], bytes]

_GUIDANCE, _STEPS = 2.0, 10
"""cfg_value and inference_timesteps as upstream's README has them: more steps sound a little better and take longer."""
_SLACK = 2
"""Frames beyond the most that is plausible, so that whoever measures the speech can see that it ran away."""


class NoSound(Exception):
    """The model computed something that is no sound."""


class VoxCPM2:
    """One model, and the recordings that it was last asked to speak as (worker.hosting.served.Served)."""

    def __init__(self, progress: Progress, folder: str, device: str, stays: bool | None) -> None:
        """folder: the published files. device: "cpu", or "cuda" for the one card that is seen. stays: whether the model
        spoke long enough, the last time that it was loaded, for compiling to be worth while; None: it was not. Small
        cards have it speak as it is. Raises what upstream raises."""
        progress("importing voxcpm")
        self._voice, self._eager = loaded(Path(folder), device, stays, progress)
        self._model = self._voice.tts_model
        self._prompts = self._model.build_prompt_cache = Prompts(self._model.build_prompt_cache, progress)
        self._takes_seed = "seed" in inspect.signature(type(self._voice)._generate).parameters

    def state(self) -> Iterator[Piece]:
        """{"sample_rate": Hz, "eager": why nothing was compiled, empty where it was}."""
        yield {"sample_rate": int(self._model.sample_rate), "eager": self._eager}, b""

    def speak(self, text: str, clip: str, words: str | None, most_s: float, seed: int) -> Iterator[Piece]:
        """Pieces of float32 mono, -1 … 1, each with its {"sample_rate"}.

        text: with its style in front. clip: a recording's path. words: what is said in it, where the speech is to go on
        from it; then a style would be read out. most_s: about where speech that finds no end is cut off. The same seed
        gives the same speech.
        """
        import torch

        prompt = {"prompt_wav_path": clip, "prompt_text": words} if words else {}
        seeded = {"seed": seed} if self._takes_seed else {}
        torch.manual_seed(seed)  # which is all that versions without the parameter need
        pieces = self._voice.generate_streaming(
            text=text,
            reference_wav_path=clip,
            cfg_value=_GUIDANCE,
            inference_timesteps=_STEPS,
            max_len=math.ceil(most_s / self._frame_s) + _SLACK,
            retry_badcase=False,
            **prompt,
            **seeded,
        )
        with closing(pieces):  # else the decoder keeps the state of this sentence
            for sound in pieces:
                yield {"sample_rate": int(self._model.sample_rate)}, _bytes(sound)

    def memory(self) -> dict[str, int]:
        import torch

        if not torch.cuda.is_initialized():
            return {}
        return {"gpu_mb": held_mb(torch)}

    def tidy(self) -> None:
        self._prompts.clear()
        free()

    @property
    def _frame_s(self) -> float:
        """What one step of the language model gives: four patches of 40 ms as published, 6.25 steps a second."""
        return float(self._model.patch_size * self._model.chunk_size / self._model.audio_vae.sample_rate)


def _bytes(sound: Any) -> bytes:
    """Of an array (samples,). Raises NoSound."""
    import numpy as np

    samples = np.ascontiguousarray(sound, np.float32)
    if samples.ndim != 1 or not np.isfinite(samples).all():
        raise NoSound("the model computed values that are no numbers")
    return samples.tobytes()
