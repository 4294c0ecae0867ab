"""Signs of life while an engine is rightly silent: loading gigabytes, or thinking about its first word."""

from __future__ import annotations

import threading
import time
from types import TracebackType

from worker.job import Report

BEAT_S = 1.0
"""Between two signs; the first comes after as long, so that quick calls give none."""


class Beats:
    """A context manager that reports `alive` for as long as `allow` last allowed, and never longer: a call that hangs
    beyond it is silent, and the render process kills it as it would without."""

    def __init__(self, report: Report) -> None:
        self._report = report
        self._until = 0.0
        self._over = threading.Event()
        self._thread: threading.Thread | None = None

    def allow(self, seconds: float) -> None:
        """Silence is in order for so long from now on; 0: not at all."""
        self._until = time.monotonic() + seconds
        if seconds > 0 and self._thread is None:
            self._thread = threading.Thread(target=self._beat, name="beats", daemon=True)
            self._thread.start()

    def _beat(self) -> None:
        while not self._over.wait(BEAT_S):
            if time.monotonic() < self._until:
                self._report("alive")

    def __enter__(self) -> Beats:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        if self._thread is not None:
            self._thread.join()
