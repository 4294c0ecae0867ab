"""The engine `fake`: the emotion that the text names in English, or none."""

from __future__ import annotations

from typing import ClassVar

from core.errors import EmotionError
from core.kinds import Emotion, Layer
from worker.engines.base import Needs
from worker.engines.directives import obey
from worker.engines.emotion.base import Reading


class Fake:
    """`… anger …` reads as anger at full intensity."""

    name: ClassVar[str] = "fake"
    needs: ClassVar[Needs] = Needs()

    def load(self) -> None:
        """Nothing to load."""

    def unload(self) -> None:
        """Nothing to give back."""

    def read(self, text: str, *, language: str) -> Reading:
        obey(text, Layer.EMOTION, EmotionError)
        words = text.casefold().split()
        named = next((emotion for emotion in Emotion if emotion.value in words), Emotion.NEUTRAL)
        return Reading(named, 0.0 if named is Emotion.NEUTRAL else 1.0)
