"""A message in clauses, each of which may be a question of its own."""

from __future__ import annotations

from collections.abc import Sequence

from core.text import fold
from worker.engines.llm.answers.smalltalk import TABLE, Segment

_ASKS_FIRST = frozenset(fold(TABLE["connectors"]["asks"]).split())
_BINDS = frozenset(fold("and also then و طيب").split())


def whole(text: str) -> tuple[Segment, ...]:
    """All of a text as one segment."""
    return (Segment(tuple(fold(text).split()), "?" in text or "؟" in text),)


def clauses(segments: Sequence[Segment]) -> list[Segment]:
    """The segments, parted before `and` with a question word."""
    return [clause for segment in segments for clause in _parted_at_and(segment)]


def _parted_at_and(segment: Segment) -> list[Segment]:
    starts = [0]
    words = segment.words
    for place in range(1, len(words) - 1):
        if (words[place] in ("and", "و") and words[place + 1] in _ASKS_FIRST) or (
            words[place][0] == "و" and words[place][1:] in _ASKS_FIRST and words[place] not in _ASKS_FIRST
        ):
            starts.append(place)
    return [
        Segment(words[start:end], segment.asks) for start, end in zip(starts, [*starts[1:], len(words)], strict=True)
    ]


def asks(segment: Segment) -> bool:
    """Whether it is a question: by its mark, or by its first word."""
    words = [word for word in segment.words if word not in _BINDS]
    first = words[0] if words else ""
    return segment.asks or first in _ASKS_FIRST or first.removeprefix("و") in _ASKS_FIRST
