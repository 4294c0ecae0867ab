"""How fast work goes on, seen while it does."""

from __future__ import annotations

LEAST = 3
"""Signs before anything is said of the pace."""


class Pace:
    """Of work that tells now and then how much is done. What took its time before the first of it was done (compiling,
    a portrait that is kept) does not come again, and says nothing of the pace."""

    def __init__(self) -> None:
        self._first: tuple[float, float] | None = None
        self._last = (0.0, 0.0)
        self._signs = 0

    def mark(self, done: float, spent_s: float) -> None:
        """done: in whatever unit, growing; spent_s: seconds of work since its beginning."""
        if done <= 0:
            return
        self._signs += 1
        self._last = (done, spent_s)
        if self._first is None:
            self._first = self._last

    @property
    def seconds(self) -> float | None:
        """Of work a unit; None until enough was seen."""
        if self._first is None or self._signs < LEAST or self._last[0] <= self._first[0]:
            return None
        return max(self._last[1] - self._first[1], 0.0) / (self._last[0] - self._first[0])

    def rest(self, whole: float) -> float | None:
        """Seconds of work until so many units are done; None until enough was seen."""
        pace = self.seconds
        return None if pace is None else max(whole - self._last[0], 0.0) * pace

    @property
    def once_s(self) -> float:
        """Seconds that were spent on what does not come again."""
        pace = self.seconds
        if pace is None or self._first is None:
            return 0.0
        return max(self._first[1] - self._first[0] * pace, 0.0)
