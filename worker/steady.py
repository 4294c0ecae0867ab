"""Whether another's lease that ran out means that its holder is gone."""

from __future__ import annotations

import math
import time
from collections.abc import Callable


class Steady:
    """Everybody who holds a lease must have had the time to renew it: while the database was away, this process was
    stopped or has just begun, or a clock was set, a lease may have run out whose holder is well. From the end of such a
    gap on, every holder is given a whole lease."""

    def __init__(
        self, lease_s: float, heartbeat_s: float, period_s: float, clock: Callable[[], float] = time.monotonic
    ):
        """period_s: between two calls of `heard`. clock: seconds that nobody sets."""
        self._lease_s = lease_s
        self._clock = clock
        self._gap_s = period_s + max(lease_s - heartbeat_s, 0.0)
        self._skew_s = max(heartbeat_s, 0.1)
        self._last: tuple[float, float] | None = None
        self._since = math.inf

    def heard(self, database_at: float) -> float:
        """The database answered. database_at: its clock, in seconds. Returns the seconds by which that clock was set,
        back below zero; 0 where it goes as ours does."""
        now, step = self._clock(), 0.0
        before, self._last = self._last, (now, database_at)
        if before is not None:
            moved = (database_at - before[1]) - (now - before[0])
            step = moved if abs(moved) > self._skew_s else 0.0
        if before is None or step or now - before[0] > self._gap_s:
            self._since = now + self._lease_s
        return step

    @property
    def believes(self) -> bool:
        """A lease that has run out is dead."""
        return self._clock() >= self._since
