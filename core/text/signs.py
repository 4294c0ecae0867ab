"""Signs that are said as words: one way of finding them, a table for each language."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

Said = Sequence[tuple[re.Pattern[str], str]]
"""What stands in a text, and what is said for it."""

_MAY_HOLD = re.compile(r"[&+=×÷→⇒➔>~≈±≥≤<№#/@%$€£°²³xX]")


@dataclass(frozen=True)
class Signs:
    """between: signs that join figures and words. lone: the names of those that are left over."""

    between: Said
    lone: Said

    def say(self, text: str) -> str:
        """The text with the signs between words said."""
        return _replaced(text, self.between)

    def say_lone(self, text: str) -> str:
        """The text with the signs that are left over said by their names."""
        return _replaced(text, self.lone)


def _replaced(text: str, signs: Said) -> str:
    if not _MAY_HOLD.search(text):
        return text
    for pattern, word in signs:
        text = pattern.sub(word, text)
    return text
