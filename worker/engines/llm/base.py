"""History and persona to the answer's text, streamed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from core.catalogue import Persona
from core.kinds import Tone
from worker.engines.base import Engine


@dataclass(frozen=True)
class Message:
    """One line of a conversation's history, oldest first; the last one is the user's."""

    role: Literal["user", "assistant"]
    text: str


class LLMEngine(Engine, Protocol):
    """Layer 3."""

    def answer(self, history: Sequence[Message], *, persona: Persona, language: str, tone: Tone) -> Iterator[str]:
        """Pieces of plain text to be joined as they are; at least one that is not blank. Raises LLMError.

        Closing the iterator stops the generation.
        """
        ...
