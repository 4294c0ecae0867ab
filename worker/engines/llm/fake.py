"""The engine `fake`: says the question back, at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import ClassVar

from core.catalogue import Persona
from core.errors import LLMError
from core.kinds import Layer, Tone
from worker.engines.base import Needs
from worker.engines.directives import obey
from worker.engines.llm.base import Message

_ECHO = {"ar": "سؤالك هو:", "en": "You asked:"}


class Fake:
    """One sentence, two pieces, the same for the same history."""

    name: ClassVar[str] = "fake"
    needs: ClassVar[Needs] = Needs()

    def load(self) -> None:
        """Nothing to load."""

    def unload(self) -> None:
        """Nothing to give back."""

    def answer(self, history: Sequence[Message], *, persona: Persona, language: str, tone: Tone) -> Iterator[str]:
        if not history:
            raise LLMError("there is no message to answer")
        obey(history[-1].text, Layer.LLM, LLMError)
        yield f"{_ECHO.get(language, _ECHO['en'])} "
        yield f"{history[-1].text.strip()}."
