"""The engine `answers`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import ClassVar

from core.errors import LLMError
from core.kinds import LANGUAGES, Tone
from core.persona import Persona
from core.persona.clock import Clock, now
from worker.engines.base import Needs
from worker.engines.llm.answers.choice import Choice
from worker.engines.llm.answers.replies import Replies
from worker.engines.llm.base import Message

_PIECE = re.compile(r"\S+\s*")
_MOST_PERSONAS = 16


class Answers:
    """Finds the persona's answer to the last message; greets, thanks, and offers topics where it knows none.

    Streams word by word, in `language` where the persona has it.
    """

    name: ClassVar[str] = "answers"
    needs: ClassVar[Needs] = Needs(languages=LANGUAGES)

    def __init__(self, clock: Clock = now) -> None:
        self._clock = clock
        self._replies: dict[str, Replies] = {}

    def load(self) -> None:
        """Nothing to load: a persona's questions are prepared when it is first asked."""

    def unload(self) -> None:
        self._replies.clear()

    def answer(self, history: Sequence[Message], *, persona: Persona, language: str, tone: Tone) -> Iterator[str]:
        yield from _PIECE.findall(self.choose(history, persona=persona, language=language, tone=tone).text)

    def choose(
        self, history: Sequence[Message], *, persona: Persona, language: str, tone: Tone = Tone.NEUTRAL
    ) -> Choice:
        """What is said to the last message, and which answers that is. Raises LLMError where there is no message."""
        if not history or not history[-1].text.strip():
            raise LLMError("there is no message to answer")
        return self._of(persona).choose(history, language, tone)

    def _of(self, persona: Persona) -> Replies:
        """Prepared once, and again where the persona was edited."""
        known = self._replies.get(persona.id)
        if known is None or known.persona is not persona:
            if len(self._replies) >= _MOST_PERSONAS:
                self._replies.clear()
            known = self._replies[persona.id] = Replies(persona, self._clock)
        return known
