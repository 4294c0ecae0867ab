"""The engine `off`: nobody's feelings are read."""

from __future__ import annotations

from typing import ClassVar

from core.kinds import Emotion
from worker.engines.base import Needs
from worker.engines.emotion.base import Reading


class Off:
    """Every text is neutral, so every answer is spoken in the neutral tone. This is how an operator turns the
    reading of emotion off for everybody; each user can do so for themselves."""

    name: ClassVar[str] = "off"
    needs: ClassVar[Needs] = Needs()

    def load(self) -> None:
        """Nothing to load."""

    def unload(self) -> None:
        """Nothing to give back."""

    def read(self, text: str, *, language: str) -> Reading:
        return Reading(Emotion.NEUTRAL, 0.0)
