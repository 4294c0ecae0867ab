"""Signs of life while an engine is rightly silent: loading gigabytes, or thinking about its first word."""

from __future__ import annotations

import time
from types import TracebackType

from worker.job import Report
from worker.ticking import Tick, every_tick

BEAT_S = 1.0
"""Between two signs; the first comes after as long, so that quick calls give none."""


class Beats:
    """A context manager that reports `alive` for as long as `allow` last allowed, and never longer: a call that hangs
    beyond it is silent, and the render process kills it as it would without."""

    def __init__(self, report: Report) -> None:
        self._report = report
        self._until = 0.0
        self._next = 0.0
        self._tick: Tick | None = None

    def allow(self, seconds: float) -> None:
        """Silence is in order for so long from now on; 0: not at all."""
        now = time.monotonic()
        self._until = now + seconds
        if seconds > 0 and self._tick is None:
            self._next = now + BEAT_S
            self._tick = every_tick(self._beat)

    def _beat(self) -> None:
        now = time.monotonic()
        if self._next <= now < self._until:
            self._next = now + BEAT_S
            self._report("alive")

    def __enter__(self) -> Beats:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._tick is not None:
            self._tick.drop()
