"""How many messages a number may send in a second, and to one person. By the real clock."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable

from simulators.whatsapp.config import Limits
from simulators.whatsapp.errors import GraphError


class Rates:
    """Counts what was accepted; `now` is in seconds and never goes back."""

    def __init__(self, limits: Limits, now: Callable[[], float] = time.monotonic) -> None:
        self._limits = limits
        self._now = now
        self._recent: deque[float] = deque()
        self._bursts: dict[str, tuple[float, int]] = {}

    def spend(self, chat: str) -> None:
        """Counts one message to a person; raises GraphError 130429 or 131056 where it is one too many."""
        now = self._now()
        while self._recent and self._recent[0] <= now - 1.0:
            self._recent.popleft()
        if len(self._recent) >= self._limits.throughput_per_s:
            raise GraphError(130429, deliberate=True)
        self._bursts[chat] = self._burst_with(chat, now)
        self._recent.append(now)

    def _burst_with(self, chat: str, now: float) -> tuple[float, int]:
        """Start and size of the burst that this message belongs to. A burst of n is paid for by n gaps of silence."""
        start, count = self._bursts.get(chat, (float("-inf"), 0))
        if now >= start + count * self._limits.pair_gap_s:
            return now, 1
        if count < self._limits.pair_burst and now < start + self._limits.pair_gap_s:
            return start, count + 1
        raise GraphError(131056, deliberate=True)
