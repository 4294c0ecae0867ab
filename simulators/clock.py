"""The simulator's time of day: the real clock, and what was skipped."""

from __future__ import annotations

import time


class Clock:
    """Seconds since 1970. Rate limits do not use it: they go by the real clock."""

    def __init__(self) -> None:
        self._skipped = 0.0

    def now(self) -> float:
        return time.time() + self._skipped

    def skip(self, seconds: float) -> None:
        """Windows close, links and files expire as if `seconds` had passed."""
        self._skipped += seconds
