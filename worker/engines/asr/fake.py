"""The engine `fake`: understands the first hint in any sound that is not silence, at once; without hints, a word a
second."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from core.errors import NotUnderstood
from core.text import detect_language
from worker.engines.asr.base import SAMPLE_RATE, Transcript
from worker.engines.base import Needs

_SILENCE = 1e-3
_WITHOUT_HINTS = {"ar": "مرحبا", "en": "hello"}


class Fake:
    """The same sound and hints give the same transcript."""

    name: ClassVar[str] = "fake"
    dictates: ClassVar[bool] = True
    needs: ClassVar[Needs] = Needs()

    def load(self) -> None:
        """Nothing to load."""

    def unload(self) -> None:
        """Nothing to give back."""

    def transcribe(
        self, audio: NDArray[np.float32], *, language: str | None, hints: Sequence[str] = (), names: Sequence[str] = ()
    ) -> Transcript:
        if not audio.size or float(np.abs(audio).max()) < _SILENCE:
            raise NotUnderstood("the recording is silent")
        word = _WITHOUT_HINTS.get(language or "en", "hello")
        text = next(iter(hints), " ".join([word] * max(audio.size // SAMPLE_RATE, 1)))
        return Transcript(text, language or detect_language(text) or "en", 1.0)
