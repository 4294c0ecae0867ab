"""Cancelling what waits for another process: the engines in use are told to drop it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from worker.ticking import every_tick


@contextmanager
def interrupting(stop: threading.Event, interrupt: Callable[[], object]) -> Iterator[None]:
    """Calls `interrupt` when `stop` is set, and again until the block ends: what is begun in the moment between is
    dropped too. It is called from another thread, and never after the block."""

    def look() -> None:
        if stop.is_set():
            interrupt()

    tick = every_tick(look)
    try:
        yield
    finally:
        tick.drop()
