"""Leaving out of a text what was said in confidence, whole or in part."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator

STRETCH = 12
"""Characters of a private text that are too many to show."""
_LETTERS = 10
"""The same for letters and figures alone, as whoever prints may change marks and spaces."""
LEFT_OUT = "(left out: it holds what was said)"


class Masker:
    """Knows some private texts, as they are and as programs print them (escaped)."""

    def __init__(self, private: Iterable[str]) -> None:
        texts = [text for each in private for text in _forms(each)]
        self._whole = [_alone(text) for text in texts if len(text) < STRETCH]
        self._texts = texts
        self._stretches = {part for text in texts for part in _parts(text, STRETCH)}
        self._letters = {part for text in texts for part in _parts(_squeezed(text), _LETTERS)}

    def __call__(self, line: str) -> str:
        """The line, or what stands for it."""
        return LEFT_OUT if self._tells(line) else line

    def text(self, text: str) -> str:
        """All lines in one, each masked; what is said twice in a row is left out once."""
        lines = [self(line) for line in text.splitlines() if line.strip()]
        return " ".join(line for place, line in enumerate(lines) if not place or line != lines[place - 1])

    def _tells(self, line: str) -> bool:
        bare = line.strip()
        return (
            any(part in self._stretches for part in _parts(line, STRETCH))
            or any(part in self._letters for part in _parts(_squeezed(line), _LETTERS))
            or any(whole.search(line) for whole in self._whole)
            or (bool(bare) and any(bare in text for text in self._texts))
        )


def _forms(text: str) -> Iterator[str]:
    text = text.strip()
    forms = {text, repr(text)[1:-1], ascii(text)[1:-1], json.dumps(text)[1:-1], repr(text.encode())[2:-1]}
    yield from (form for form in forms if form)


def _alone(text: str) -> re.Pattern[str]:
    return re.compile(rf"(?<!\w){re.escape(text)}(?!\w)", re.IGNORECASE)


def _parts(text: str, size: int) -> Iterator[str]:
    return (text[start : start + size] for start in range(len(text) - size + 1))


def _squeezed(text: str) -> str:
    return "".join(filter(str.isalnum, text.casefold()))
