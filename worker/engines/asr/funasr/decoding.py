"""One segment of speech to what the model writes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from worker.engines.asr.base import SAMPLE_RATE
from worker.engines.asr.funasr.loading import load_model, precision
from worker.engines.asr.funasr.writing import cleaned
from worker.networks.quiet import quiet

_TOKENS_AT_ONCE = 24
_TOKENS_A_SECOND = 20
"""More than the quickest speech needs, in scripts of which Qwen's tokenizer knows single letters at best."""
_NAME = re.compile(r"[^\W_]+(?:[ '’.&-]+[^\W_]+)*")
_LONGEST_NAME = 40
_MOST_NAMES = 40


@dataclass(frozen=True)
class Decoded:
    """text: cleaned. log_probability: the sum over the tokens, of which there are `tokens`. whole: whether the model
    ended by itself."""

    text: str
    log_probability: float
    tokens: int
    whole: bool


class Decoder:
    """One model's weights. Not safe for threads."""

    def __init__(self, folder: Path, device: str) -> None:
        self._model: Any = load_model(folder, device)
        self._precision = precision(device)

    def decode(self, sound: NDArray[np.float32], language: str | None, names: Sequence[str] = ()) -> Decoded:
        """sound: (n,) at 16 kHz, at most 30 s. language: a value of NAMES, None to let the model find out.
        names: usable ones (`usable_names`). Greedy: the same sound gives the same text."""
        import torch

        most = int(_TOKENS_AT_ONCE + _TOKENS_A_SECOND * sound.size / SAMPLE_RATE)
        record = _Record(self._model.kwargs["tokenizer"].eos_token_id)
        with quiet():
            (found,) = self._model.generate(
                input=[torch.tensor(sound)],
                language=language,
                hotwords=list(names),
                max_length=most,
                llm_dtype=self._precision,
                llm_kwargs={"do_sample": False, "num_beams": 1, "logits_processor": [record]},
            )
        return record.decoded(cleaned(found["text"]))


class _Record:
    """Sits in `generate` as a logits processor and changes nothing."""

    def __init__(self, end: int) -> None:
        self._end = end
        self._steps: list[tuple[Any, Any]] = []

    def __call__(self, input_ids: Any, scores: Any) -> Any:
        logits = scores.float()
        most = logits.max(dim=-1)
        self._steps.append((most.values - logits.logsumexp(dim=-1), most.indices))
        return scores

    def decoded(self, text: str) -> Decoded:
        if not self._steps:
            return Decoded(text, 0.0, 0, True)
        total = sum(float(chance) for chance, _ in self._steps)
        return Decoded(text, total, len(self._steps), int(self._steps[-1][1]) == self._end)


def usable_names(names: Sequence[str]) -> tuple[str, ...]:
    """The first of them that are short and hold letters and figures alone, so that none can add to the prompt."""
    plain = (" ".join(name.split()) for name in names)
    usable = (name for name in plain if len(name) <= _LONGEST_NAME and _NAME.fullmatch(name))
    return tuple(dict.fromkeys(usable))[:_MOST_NAMES]
