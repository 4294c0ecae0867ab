"""A Progress that remembers."""

from __future__ import annotations


class Told:
    """begun: what, and its bytes. count: bytes by what."""

    def __init__(self) -> None:
        self.begun: list[tuple[str, int | None]] = []
        self.notes: list[str] = []
        self.count: dict[str, int] = {}

    def begin(self, what: str, total: int | None, done: int = 0) -> None:
        self.begun.append((what, total))
        self.count[what] = done

    def advance(self, count: int) -> None:
        self.count[self.begun[-1][0]] += count

    def note(self, text: str) -> None:
        self.notes.append(text)
