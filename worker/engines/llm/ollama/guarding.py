"""What keeps a message a message, and the instructions to themselves.

A persona bot has no tools and knows no secrets, so an injected instruction can at most make it talk of other things.
Two things are ensured all the same: no text from outside can end its own message (a model's template marks turns with
words such as `<|im_start|>`, which Ollama's tokenizer takes for marks wherever they stand), and an answer that recites
the instructions is not sent.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

from core.text import fold

_MARKS = re.compile(
    r"<\s*[|｜][^<>|｜]{0,64}[|｜]\s*>"
    r"|</?\s*(?:s|bos|eos|pad|unk|sys|think|thinking|tools?|tool_calls?|tool_response|start_of_turn|end_of_turn|"
    r"start_of_image|end_of_image|begin_of_text|end_of_text|unused\d{1,4})\s*>"
    r"|<<\s*/?\s*sys\s*>>"
    r"|\[/?\s*(?:inst|system_prompt|available_tools|tool_calls|tool_results)\s*\]",
    re.IGNORECASE,
)
"""The marks of turns, thoughts and tools in the templates of Qwen (ChatML), Gemma, Llama, Mistral, DeepSeek, Cohere."""
_HALF_MARK = re.compile(r"(?:<\s*)+(?=[|｜])|(?<=[|｜])(?:\s*>)+")
_UNSEEN = frozenset(("Cc", "Cf", "Co", "Cs", "Cn"))
"""Controls, directions, zero widths and tags (in which a second text can hide), private and unassigned characters."""

_RUN = 10
"""Words in a row that an answer may share with the instructions: fewer are the persona's name and place of work."""
_SENTENCE = 5
"""Words of the shortest sentence that counts as recited when all of it stands among the rules."""


def clean(text: str) -> str:
    """A text from outside as a message's content: no mark of a template, nothing unseen; line ends and tabs stay."""
    text = unicodedata.normalize("NFC", text.replace("\r\n", "\n"))
    text = "".join(char for char in text if char in "\n\t" or unicodedata.category(char) not in _UNSEEN)
    while (without := _HALF_MARK.sub(" ", _MARKS.sub(" ", text))) != text:  # what is left may be a mark again
        text = without
    return text


class Secrecy:
    """Watches one answer for the instructions. The sentences come in order; what was said before counts.

    secret: texts of which neither a whole sentence nor a long run of words may be recited. introduction: who the model
    is told to be, of which only the whole is (`You are Layla …`; it may well say `I am Layla …`). known: what may be
    said as it stands, though it is quoted there.
    """

    def __init__(self, secret: Iterable[str], introduction: str, known: Iterable[str]) -> None:
        allowed = _grams(known)
        self._runs = _grams(secret) - allowed
        self._whole = self._runs | _grams([introduction])
        self._words: list[str] = []
        self._run = 0

    def recited(self, sentence: str) -> bool:
        """Whether with this sentence the answer gives the instructions away."""
        words = fold(sentence).split()
        longest = 0
        for word in words:
            self._words = [*self._words, word][-_SENTENCE:]
            self._run = self._run + 1 if tuple(self._words) in self._runs else 0
            longest = max(longest, self._run)
        own = [tuple(words[place : place + _SENTENCE]) for place in range(len(words) - _SENTENCE + 1)]
        return longest + _SENTENCE - 1 >= _RUN or (bool(own) and self._whole.issuperset(own))


def _grams(texts: Iterable[str]) -> frozenset[tuple[str, ...]]:
    """All `_SENTENCE` words in a row, folded."""
    return frozenset(
        tuple(words[place : place + _SENTENCE])
        for words in (fold(text).split() for text in texts)
        for place in range(len(words) - _SENTENCE + 1)
    )
