"""Cancelling what waits for another process: the engines in use are told to drop it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from types import TracebackType

from core.logging import get_logger

log = get_logger(__name__)

LOOK_S = 0.1
"""Between two looks whether the turn was cancelled; a tenth of a second is at once to a person."""


class Interrupting:
    """A context manager that calls `interrupt` when `stop` is set, and again until the block ends: what is begun in
    the moment between is dropped too. `interrupt` is called from a thread of its own, and never after the block."""

    def __init__(self, stop: threading.Event, interrupt: Callable[[], object]) -> None:
        self._stop = stop
        self._interrupt = interrupt
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look, name="interrupting", daemon=True)

    def _look(self) -> None:
        while not self._over.wait(LOOK_S):
            if not self._stop.is_set():
                continue
            try:
                self._interrupt()
            except Exception as error:
                log.warning("not_interrupted", error=type(error).__name__)

    def __enter__(self) -> Interrupting:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join()
