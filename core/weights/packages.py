"""What uv and pip say while they install, as progress."""

from __future__ import annotations

import re

from core.weights.fetching import Progress

_BEGUN = re.compile(r"Downloading (\S+) \(([\d.]+) ?([kKMG]?)(i?)B\)")
"""uv: `Downloading torch (846.5MiB)`; pip: `Downloading torch-2.8.0-cp311-….whl (887.9 MB)`."""
_COME = re.compile(r"Downloaded (\S+)$")
"""uv alone says so; pip downloads one package after the other."""
_POWERS = {"": 0, "k": 1, "K": 1, "M": 2, "G": 3}
_LARGE = 50_000_000
"""Bytes of a package that is told by name."""


class Packages:
    """One installation. Small packages, and those in a cache, are not told by uv and so not counted."""

    def __init__(self, what: str, progress: Progress) -> None:
        self._what = what
        self._progress = progress
        self._under_way: dict[str, int] = {}
        progress.begin(f"{what}: packages", None)

    def line(self, said: str) -> None:
        """A line of either program."""
        if found := _BEGUN.search(said):
            self._begun(found[1], _bytes(*found.group(2, 3, 4)))
        elif (found := _COME.search(said)) and found[1] in self._under_way:
            self._progress.advance(self._under_way.pop(found[1]))

    def _begun(self, name: str, size: int) -> None:
        is_file = name.endswith((".whl", ".tar.gz"))
        if is_file:
            self.end()
        self._under_way[name] = size
        if size >= _LARGE:
            plain = name.partition("-")[0] if is_file else name
            self._progress.note(f"{self._what}: {plain} is coming, {size / 1e6:,.0f} MB")

    def end(self) -> None:
        """All that was begun has come."""
        for size in self._under_way.values():
            self._progress.advance(size)
        self._under_way.clear()


def _bytes(number: str, unit: str, binary: str) -> int:
    factor: int = (1024 if binary else 1000) ** _POWERS[unit]
    return round(float(number) * factor)
