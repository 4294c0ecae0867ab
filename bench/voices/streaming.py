"""Runs in a host: a class that loads nothing and streams sound that is there already. The standard library alone."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from worker.hosting.served import Progress

_FLOAT = 4
"""Bytes a sample."""


class Streaming:
    """worker.hosting.served.Served."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress

    def answer(self) -> Iterator[tuple[dict[str, Any], bytes]]:
        """One empty piece."""
        yield {}, b""

    def sound(self, pieces: int, samples: int, rate: int) -> Iterator[tuple[dict[str, Any], bytes]]:
        """So many pieces of so many float32 samples, as fast as they are taken."""
        payload = bytes(_FLOAT * samples)
        for _ in range(pieces):
            yield {"sample_rate": rate}, payload
