"""The engines `fake` and `fake-brief`: a tone as long as the text would take to say, or of one frame, at once."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

import numpy as np

from core.catalogue import Voice
from core.errors import TTSError
from core.kinds import Layer, Tone
from worker.engines.base import Needs
from worker.engines.directives import obey
from worker.engines.tts.base import Phoneme, Speech

SAMPLE_RATE = 16_000

_LETTER_S = 0.07
_PAUSE_S = 0.2
_BRIEF_S = 0.04
"""A frame at 25/s."""
_PITCH_HZ = 160.0
_LEVEL = 0.2
_SYLLABLE = ("m", "ˈa", "t", "i", "s", "u")


class Fake:
    """Six phonemes over and over, 70 ms for each letter or digit, and a pause after them."""

    name: ClassVar[str] = "fake"
    needs: ClassVar[Needs] = Needs()
    finished: ClassVar[bool] = True

    def load(self) -> None:
        """Nothing to load."""

    def unload(self) -> None:
        """Nothing to give back."""

    def speak(
        self,
        text: str,
        *,
        language: str,
        voice: Voice,
        tone: Tone = Tone.NEUTRAL,
        intensity: float = 0.0,
        take: int = 0,
    ) -> Iterator[Speech]:
        obey(text, Layer.TTS, TTSError)
        letters = sum(1 for char in text if char.isalnum())
        voiced = round(letters * _LETTER_S * SAMPLE_RATE)
        samples = np.zeros(voiced + round(_PAUSE_S * SAMPLE_RATE), np.float32)
        samples[:voiced] = _LEVEL * np.sin(np.arange(voiced) * (2 * np.pi * _PITCH_HZ / SAMPLE_RATE))
        yield Speech(samples, SAMPLE_RATE, tuple(_phoneme(index) for index in range(letters)))


class Brief(Fake):
    """Whatever the text, 40 ms of tone in all: a video of one frame, so that what is measured is everything else."""

    name: ClassVar[str] = "fake-brief"

    def speak(
        self,
        text: str,
        *,
        language: str,
        voice: Voice,
        tone: Tone = Tone.NEUTRAL,
        intensity: float = 0.0,
        take: int = 0,
    ) -> Iterator[Speech]:
        obey(text, Layer.TTS, TTSError)
        samples = _LEVEL * np.sin(np.arange(round(_BRIEF_S * SAMPLE_RATE)) * (2 * np.pi * _PITCH_HZ / SAMPLE_RATE))
        yield Speech(samples.astype(np.float32), SAMPLE_RATE, (Phoneme(_SYLLABLE[1], 0.0, _BRIEF_S),))


def _phoneme(index: int) -> Phoneme:
    return Phoneme(_SYLLABLE[index % len(_SYLLABLE)], index * _LETTER_S, (index + 1) * _LETTER_S)
