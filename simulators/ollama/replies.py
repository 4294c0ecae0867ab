"""What a simulated model answers: by script, or a short sentence in the language that it was asked in."""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Callable, Sequence
from itertools import cycle
from typing import Final

from simulators.ollama import tokens
from simulators.ollama.requests import Request

Reply = str | Sequence[str] | Callable[[Request], "str | Sequence[str]"]
"""A text, its tokens, or either of them from the request."""

SENTENCES: Final = {
    "ar": (
        "يسعدني أن أساعدك في هذا الأمر.",
        "سؤالك مهمّ، وسأجيبك عنه بإيجاز.",
        "أخبرني بالمزيد حتى أفهم ما تريده تمامًا.",
        "أنا هنا متى احتجت إليّ.",
        "لنبدأ بالأسهل، ثم ننتقل إلى ما بعده.",
        "خذ وقتك، فلا داعي للعجلة.",
    ),
    "en": (
        "I am glad to help you with that.",
        "That is a good question, and the answer is short.",
        "Tell me a little more, so that I understand what you need.",
        "I am here whenever you want to talk.",
        "Let us begin with the easy part and go on from there.",
        "Take your time, there is no hurry.",
    ),
}
THOUGHT: Final = "The user wants a short and friendly answer, so I keep it simple."
LONG_WORDS: Final = 4000


def says_its_system_prompt(request: Request) -> str:
    """As a model that was talked into it."""
    return request.system


def says_the_users_text(request: Request) -> str:
    return request.user


PARROTS: Final[dict[str, Reply]] = {"system": says_its_system_prompt, "user": says_the_users_text}


def language_of(request: Request) -> str:
    """`ar` or `en`: of what the user said, or of the system prompt where that has no letters."""
    for text in (request.user, request.system):
        arabic = sum("\u0600" <= each <= "\u06ff" and each.isalpha() for each in text)
        latin = sum(each.isascii() and each.isalpha() for each in text)
        if arabic or latin:
            return "ar" if arabic >= latin else "en"
    return "en"


def sentence(request: Request) -> str:
    """The same for the same request where it has a seed, or a temperature of 0."""
    return _chance(request).choice(SENTENCES[language_of(request)])


def long_answer(request: Request) -> str:
    """LONG_WORDS words."""
    words: list[str] = []
    for each in cycle(SENTENCES[language_of(request)]):
        words += each.split()
        if len(words) >= LONG_WORDS:
            return " ".join(words[:LONG_WORDS])
    raise AssertionError("a cycle has no end")


def _chance(request: Request) -> random.Random:
    options = request.options
    seed = options.get("seed")
    if (seed is None or seed < 0) and options.get("temperature") != 0:
        return random.Random()  # noqa: S311
    text = json.dumps([request.model, request.messages, seed], sort_keys=True)
    return random.Random(hashlib.sha256(text.encode()).digest())  # noqa: S311


class Script:
    """What is said next, each once; then `otherwise` each time."""

    def __init__(self) -> None:
        self._next: list[Reply] = []
        self.otherwise: Reply = sentence

    def add(self, *replies: Reply) -> None:
        self._next.extend(replies)

    def clear(self) -> None:
        self._next.clear()
        self.otherwise = sentence

    def left(self) -> int:
        return len(self._next)

    def take(self, request: Request) -> list[str]:
        """The tokens of the next reply."""
        reply = self._next.pop(0) if self._next else self.otherwise
        said = reply(request) if callable(reply) else reply
        return tokens.split(said) if isinstance(said, str) else list(said)
