"""What the face is told of the speech: its stresses, its pauses and its phrases."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Protocol

from worker.engines.video.puppet.mouth.visemes import Segment

QUESTION_MARKS = ("?", "؟")


class Listener(Protocol):
    """Seconds from the clip's start; told in order of time."""

    def stress(self, moment: float) -> None: ...

    def pause(self, start: float, end: float) -> None: ...

    def phrase(self, start: float, *, asked: bool = False) -> None: ...


def tell(listener: Listener, parts: Iterable[Segment], start: float, end: float, text: str | None) -> None:
    """What can be told of a piece of speech from `start` to `end` that says `text`. Where no part sounds is silence;
    a question is known by its mark."""
    asked = (text or "").rstrip(" \n\t\"'»”)").endswith(QUESTION_MARKS)
    reached = start
    for part in _sounding(parts):
        if part.start > reached:
            listener.pause(reached, part.start)
        if part.start > reached or reached == start:
            listener.phrase(part.start, asked=asked)
        if part.stressed:
            listener.stress((part.start + part.end) / 2)
        reached = max(reached, part.end)
    if end > reached:
        listener.pause(reached, end)


def _sounding(parts: Iterable[Segment]) -> Iterator[Segment]:
    return (part for part in parts if not part.viseme.still)
