"""What was asked of a double, line by line, in its model's folder."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from simulators.voices.faults import FOLDER, as_rows


@dataclass(frozen=True)
class Call:
    """One call. what: `load` or the method. given: its arguments, as JSON has them. pid: the process that served it.
    pieces, seconds: what came. end: `done`, `closed` by its caller, the name of an error's type, or empty while it
    goes on or where its process died. oddities: what upstream lets pass and a careful caller does not ask."""

    number: str
    what: str
    given: dict[str, Any]
    pid: int
    pieces: int = 0
    seconds: float = 0.0
    end: str = ""
    oddities: list[str] = field(default_factory=list)


class Journal:
    """Written by the processes of the model, read by the test."""

    _count = 0

    def __init__(self, model: Path) -> None:
        self._file = model / FOLDER / "calls.jsonl"

    def begin(self, what: str, given: dict[str, Any], oddities: list[str]) -> str:
        """The call's number."""
        Journal._count += 1
        number = f"{os.getpid()}-{Journal._count}"
        self._add({"number": number, "what": what, "given": given, "pid": os.getpid(), "oddities": oddities})
        return number

    def end(self, number: str, end: str, pieces: int = 0, seconds: float = 0.0) -> None:
        self._add({"number": number, "end": end, "pieces": pieces, "seconds": seconds})

    def calls(self) -> list[Call]:
        """In the order in which they began."""
        found: dict[str, dict[str, Any]] = {}
        for row in as_rows(self._file.read_text(encoding="utf-8") if self._file.exists() else ""):
            found.setdefault(row["number"], {}).update(row)
        return [Call(**row) for row in found.values()]

    def forget(self) -> None:
        """Only while nothing is asked."""
        self._file.unlink(missing_ok=True)

    def _add(self, row: dict[str, Any]) -> None:
        self._file.parent.mkdir(exist_ok=True)
        with self._file.open("ab") as out:
            out.write(json.dumps(row, ensure_ascii=False, default=str).encode() + b"\n")
