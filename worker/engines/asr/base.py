"""Speech to text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray

from worker.engines.base import Engine

SAMPLE_RATE = 16_000


@dataclass(frozen=True)
class Transcript:
    """What was said: plain text, its language (`ar`, `en` …) and a confidence of 0 to 1."""

    text: str
    language: str
    confidence: float


class ASREngine(Engine, Protocol):
    """Layer 1. dictates: whether it writes down whatever is said, or only what the hints say."""

    dictates: ClassVar[bool]

    def transcribe(
        self, audio: NDArray[np.float32], *, language: str | None, hints: Sequence[str] = (), names: Sequence[str] = ()
    ) -> Transcript:
        """audio: (n,) mono, 16 kHz, -1 … 1. language: the speaker's where it is known.
        hints: sentences that are likely (the persona's questions). names: words that are likely and rare (the
        persona's proper names), the chief ones first. An engine takes what it can use.

        Raises LanguageUnsupported for a language it has no model of, NotUnderstood where nothing known was said.
        """
        ...
