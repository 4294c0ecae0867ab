"""Whose words the lines of a question are that several messages made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

BETWEEN = "\n"


@dataclass(frozen=True)
class Words:
    """Columns of a new turn with what it is asked. replaces: it takes the place of a turn that waited or ran, which
    ends by that."""

    columns: Mapping[str, Any]
    replaces: bool = False


@dataclass(frozen=True)
class Line:
    """One message's words, which may have line ends of their own."""

    message_id: str | None
    text: str


@dataclass(frozen=True)
class Parts:
    """The messages of one question, in their order."""

    lines: tuple[Line, ...]

    @classmethod
    def of(cls, message_id: str | None, text: str) -> Parts:
        return cls((Line(message_id, text),))

    @classmethod
    def read(cls, text: str, named: Sequence[Mapping[str, Any]]) -> Parts:
        """What `text` and `named` made of them."""
        lines, at = [], 0
        for each in named:
            lines.append(Line(each["message_id"], text[at : at + each["length"]]))
            at += each["length"] + len(BETWEEN)
        return cls(tuple(lines))

    def __add__(self, other: Parts) -> Parts:
        return Parts(self.lines + other.lines)

    @property
    def text(self) -> str:
        return BETWEEN.join(line.text for line in self.lines)

    @property
    def named(self) -> list[dict[str, Any]]:
        """{"message_id", "length"} of each, the length in characters."""
        return [{"message_id": line.message_id, "length": len(line.text)} for line in self.lines]

    def words_of(self, message_id: str) -> str | None:
        """None where none of them is that message."""
        return next((line.text for line in self.lines if line.message_id == message_id), None)

    def corrected(self, message_id: str, text: str) -> Parts:
        """With other words of one message in their place."""
        return Parts(tuple(replace(each, text=text) if each.message_id == message_id else each for each in self.lines))
