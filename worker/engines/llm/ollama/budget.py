"""How much fits in a model's context, counted without its tokenizer.

The estimate was fitted to Qwen's tokenizer (that of Qwen 1 to 3): it is above the true count for whole messages of
Arabic, English, figures, emoji and what people mix of them, by about 30 % on average. Gemma's and Llama 3's larger
vocabularies need no more. Where a server's own count is above an estimate, the estimates after it are raised.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

from core.errors import ConfigurationError
from worker.engines.llm.base import Message

_PIECES = re.compile(
    r"(?P<latin>[A-Za-z]+)|(?P<arabic>[\u0621-\u063a\u0641-\u064a]+)|(?P<blanks>[ \t]+(?!\d)|[ \t]{2,})"
    r"|(?P<lines>\s+)|(?P<other>.)",
    re.DOTALL,
)
_LATIN, _ARABIC, _CODE = 3.2, 1.7, 1.2
"""Letters a token: of a word, somewhat fewer than Qwen makes of whole messages (4.1 and 2.4 on average, blanks
included); and of what is no word, as base64."""
_LONGEST_WORD = 15
_TURN = 6
"""Tokens that a template adds round each message."""

ANSWER = 448
"""Tokens of the longest answer: Qwen needs 2.2 a word for Arabic, so the 120 words that are spoken fit, with a half
more for what is left out of it."""
_QUESTION = 1200
"""Tokens of the user's last message, of which more is cut: the 2,000 characters that are taken in have less."""
_NOTES, _FEWEST_NOTES = 1800, 250
"""Tokens of what the persona knows, at most and at least: some fourteen answers with their cases, so that a mistaken
ranking does no harm; more would be read at each turn for nothing."""
_HISTORY = 1500
"""Tokens of the messages before: some twenty. What is older leads astray more often than it helps."""


def estimated(text: str) -> int:
    """About how many tokens a text has, rather too many than too few."""
    return math.ceil(sum(_cost(match) for match in _PIECES.finditer(text)))


def _cost(match: re.Match[str]) -> float:
    found, length = match.lastgroup, len(match[0])
    if found == "latin":
        is_word = length <= _LONGEST_WORD and (match[0].islower() or match[0].istitle())
        return max(1.0, length / (_LATIN if is_word else _CODE))
    if found == "arabic":
        return max(1.0, length / _ARABIC)
    if found == "blanks":
        return 0.0 if length == 1 else 1.0
    if found == "lines" or match[0].isascii():
        return 1.0
    return 1.0 if "\u064b" <= match[0] <= "\u0652" else 2.0


@dataclass(frozen=True)
class Room:
    """Tokens for each part of a request."""

    notes: int
    history: int
    question: int


class Budget:
    """Shares out a context of `context` tokens."""

    def __init__(self, context: int) -> None:
        self._context = context
        self._factor = 1.0

    def tokens(self, text: str) -> int:
        """The estimate for a text, corrected by what servers counted."""
        return math.ceil(estimated(text) * self._factor)

    def of_messages(self, texts: Sequence[str]) -> int:
        """The estimate for a whole request's messages."""
        return sum(self.tokens(text) + _TURN for text in texts)

    def correct(self, estimate: int, counted: int) -> None:
        """Learns from a server's count of a prompt that was estimated; one that says less is no reason to trust less:
        some versions leave out what they had read before."""
        if 0 < estimate < counted:
            self._factor *= min(counted / estimate, 2.0)

    def room(self, fixed: str, persona: str, question: str) -> Room:
        """For a prompt that holds `fixed` in any case. Raises ConfigurationError where the context is too small for
        this persona."""
        needed = self.tokens(fixed) + ANSWER + 2 * _TURN
        free = self._context - needed
        longest = min(_QUESTION, free // 3)
        if free - longest < _FEWEST_NOTES:
            least = math.ceil((needed + 2 * _FEWEST_NOTES) / 1024) * 1024
            raise ConfigurationError(
                f"a context of {self._context} tokens is too small for the persona {persona}: set"
                f" SMARTTALKER_LLM_CONTEXT to {least} or more"
            )
        asked = min(self.tokens(question), longest)
        notes = min(_NOTES, max(_FEWEST_NOTES, (free - asked) * 3 // 5))
        return Room(notes, min(_HISTORY, free - asked - notes), asked)

    def fitting(self, history: Sequence[Message], room: int) -> list[Message]:
        """The newest messages that fit, whole, oldest first; it begins with the user's."""
        kept: list[Message] = []
        for message in reversed(history):
            room -= self.tokens(message.text) + _TURN
            if room < 0:
                break
            kept.insert(0, message)
        while kept and kept[0].role != "user":
            del kept[0]
        return kept

    def cut(self, text: str, room: int) -> str:
        """The text, or its beginning in whole words with an ellipsis."""
        if self.tokens(text) <= room:
            return text
        low, high = 0, len(text)
        while low < high:
            middle = (low + high + 1) // 2
            low, high = (middle, high) if self.tokens(f"{text[:middle]}…") <= room else (low, middle - 1)
        head = text[:low]
        return (head.rsplit(maxsplit=1)[0] if " " in head.strip() else head).rstrip() + "…"
