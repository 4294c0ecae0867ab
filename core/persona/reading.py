"""From persona.toml to a Persona, or to the line where it is wrong."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from core.errors import ConfigurationError
from core.persona.checking import Problem, problems_of, same_questions
from core.persona.lines import Lines
from core.persona.model import Persona

_PERSONA = TypeAdapter(Persona)
_MOST = 3
_SAID = {
    "missing": "is missing",
    "unexpected_keyword_argument": "is unknown here: misspelt, or under the wrong heading?",
    "extra_forbidden": "is unknown here: misspelt, or under the wrong heading?",
    "string_pattern_mismatch": "must not be empty; ids, kinds and facts are words of a-z, 0-9 and _",
    "string_too_short": "must not be empty",
    "string_type": "must be a text in quotation marks",
    "tuple_type": "must be a list: [\"…\", \"…\"]",
    "dict_type": "must hold one text a language: { ar = \"…\", en = \"…\" }",
}  # fmt: skip
"""What pydantic's kinds of error mean to who edits the file."""


@dataclass(frozen=True)
class Found:
    """A problem of a file and the line where it stands, from 1."""

    path: Path
    line: int
    text: str
    wrong: bool

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.text}"


def read_persona(path: Path) -> Persona:
    """Raises ConfigurationError that names file and lines; what is merely doubtful is let pass."""
    persona, found, _ = _read(path)
    wrong = [str(problem) for problem in found if problem.wrong]
    if persona is None or wrong:
        more = f" (and {len(wrong) - _MOST} more)" if len(wrong) > _MOST else ""
        raise ConfigurationError("\n".join(wrong[:_MOST]) + more)
    return persona


def check_persona(path: Path) -> list[Found]:
    """All that is wrong or doubtful in the file, by line."""
    persona, found, lines = _read(path)
    if persona is not None:
        found += [_found(path, lines, problem) for problem in same_questions(persona)]
    return sorted(found, key=lambda each: each.line)


def _read(path: Path) -> tuple[Persona | None, list[Found], Lines]:
    try:
        text = path.read_text(encoding="utf-8")
        table = tomllib.loads(text)
    except (OSError, ValueError) as error:
        return None, [Found(path, _line_of(error), _unread(error), wrong=True)], Lines("")
    lines = Lines(text)
    try:
        persona = _PERSONA.validate_python({"answers": (), **table, "id": path.parent.name})
    except ValidationError as error:
        rows = sorted(error.errors(), key=lambda row: row["type"] == "missing")
        return None, [Found(path, lines.of(_place(row["loc"])), _sentence(row), wrong=True) for row in rows], lines
    return persona, [_found(path, lines, problem) for problem in problems_of(persona)], lines


def _found(path: Path, lines: Lines, problem: Problem) -> Found:
    line = lines.of_text(problem.place, problem.quoted) if problem.quoted else lines.of(problem.place)
    return Found(path, line, problem.text, problem.wrong)


def _line_of(error: Exception) -> int:
    """tomllib says "(at line 3, column 7)"."""
    _, said, rest = str(error).partition("(at line ")
    return int(rest.partition(",")[0]) if said else 1


def _unread(error: Exception) -> str:
    if isinstance(error, OSError):
        return f"can't be read: {error.strerror}"
    return f"is no TOML: {error}"


def _place(loc: Sequence[str | int]) -> tuple[str | int, ...]:
    """Without what pydantic adds for the members of a union (`constrained-str`, `dict[…]`) and for keys."""
    return tuple(part for part in loc if isinstance(part, int) or part.replace("_", "").isalnum())


def _sentence(row: Any) -> str:
    where = ".".join(str(part) for part in _place(row["loc"]))
    return f"{where} {_SAID.get(row['type'], row['msg'])}"
