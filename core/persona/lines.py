"""On which line of a TOML file a value stands: tomllib does not say."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence

Path = tuple[str | int, ...]
"""As pydantic's `loc`: keys and places in arrays, from 0."""

_HEADER = re.compile(r"^\s*(\[\[?)\s*([^\[\]]+?)\s*\]\]?\s*(?:#.*)?$")
_KEY = re.compile(r"^\s*((?:[\w-]+|\"[^\"]*\"|'[^']*')(?:\s*\.\s*(?:[\w-]+|\"[^\"]*\"|'[^']*'))*)\s*=")
_LONG = re.compile(r'"""|\'\'\'')


class Lines:
    """The places of a file's tables and keys. Lines count from 1."""

    def __init__(self, text: str) -> None:
        self._lines = text.splitlines()
        self._places: dict[Path, int] = {(): 1}
        for path, line in _places(self._lines):
            self._places.setdefault(path, line)

    def of(self, path: Sequence[str | int]) -> int:
        """The line of the value, or of the nearest table around it that has one."""
        inner = tuple(path)
        while inner not in self._places:
            inner = inner[:-1]
        return self._places[inner]

    def of_text(self, path: Sequence[str | int], text: str) -> int:
        """The first line from there on that holds the text; where none does, the line of the value."""
        start = self.of(path)
        return next((number for number in range(start, len(self._lines) + 1) if text in self._lines[number - 1]), start)


def _places(lines: Sequence[str]) -> Iterator[tuple[Path, int]]:
    table: Path = ()
    counts: Counter[Path] = Counter()
    for number, line in _outside_long_strings(lines):
        if header := _HEADER.match(line):
            table = _entered(_names(header[2]), header[1] == "[[", counts)
            yield table, number
        elif key := _KEY.match(line):
            names = _names(key[1])
            for length in range(1, len(names) + 1):
                yield (*table, *names[:length]), number


def _entered(names: tuple[str, ...], is_array: bool, counts: Counter[Path]) -> Path:
    """The header's path with the places of the arrays that it lies in; a header of an array begins its next table."""
    path: Path = ()
    for depth, name in enumerate(names):
        path = (*path, name)
        if is_array and depth == len(names) - 1:
            counts[path] += 1
        if counts[path]:
            path = (*path, counts[path] - 1)
    return path


def _names(dotted: str) -> tuple[str, ...]:
    return tuple(name.strip().strip("\"'") for name in re.findall(r"\"[^\"]*\"|'[^']*'|[\w-]+", dotted))


def _outside_long_strings(lines: Sequence[str]) -> Iterator[tuple[int, str]]:
    """The lines that do not begin inside of a string of several lines."""
    mark = ""
    for number, line in enumerate(lines, start=1):
        if not mark:
            yield number, line
        for found in _LONG.findall(line):
            mark = "" if mark == found else mark or found
