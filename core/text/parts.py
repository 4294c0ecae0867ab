"""Long texts in parts that a platform takes."""

from __future__ import annotations

import re

_BREAKS = tuple(map(re.compile, (r"\n\n+", r"\n", r"(?<=[.!?؟…。])\s+", r"(?<=[،,;؛:])\s+", r"\s+")))
"""Where to part, best first: paragraphs, lines, sentences, clauses, words."""


def units(text: str) -> int:
    """The length as platforms count it: UTF-16 code units (Telegram's API says so; WhatsApp counts no more)."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def split_text(text: str, limit: int | None) -> list[str]:
    """The text in parts of at most `limit` UTF-16 code units, parted where it reads best; one part without a limit."""
    if limit is None:
        return [text]
    parts = []
    while units(text) > limit:
        at = _place(_head(text, limit))
        parts.append(text[:at].rstrip())
        text = text[at:].lstrip()
    return [*parts, text] if text else parts


def shorten(text: str, limit: int) -> str:
    """At most `limit` code units, with an ellipsis where something is left out."""
    return text if units(text) <= limit else _head(text, limit - 1).rstrip() + "…"


def _head(text: str, limit: int) -> str:
    return text.encode("utf-16-le", "surrogatepass")[: 2 * limit].decode("utf-16-le", "ignore")


def _place(head: str) -> int:
    """Behind the last break of the best kind that leaves no part shorter than a third; else the hard end."""
    for pattern in _BREAKS:
        ends = [found.end() for found in pattern.finditer(head)]
        if ends and ends[-1] > len(head) // 3:
            return ends[-1]
    return len(head)
