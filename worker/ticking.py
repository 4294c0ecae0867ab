"""One thread for all that looks after something every moment: starting one for each would cost a turn more than what
they look after."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from core.logging import get_logger

log = get_logger(__name__)

TICK_S = 0.1
"""Between two calls; a tenth of a second is at once to a person."""


class Tick:
    """A call that is made at every tick until it is dropped."""

    def __init__(self, call: Callable[[], object]) -> None:
        self._call = call
        self._lock = threading.Lock()
        self._dropped = False

    def __call__(self) -> None:
        with self._lock:
            if self._dropped:
                return
            try:
                self._call()
            except Exception as error:
                log.warning("tick_failed", error=type(error).__name__)

    def drop(self) -> None:
        """It is not made any more; one under way is waited for."""
        with self._lock:
            self._dropped = True
        _clock.remove(self)


class _Clock:
    """The thread, which ends at a tick when nothing is left to call."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._ticks: list[Tick] = []
        self._running = False

    def add(self, tick: Tick) -> None:
        with self._lock:
            self._ticks.append(tick)
            if not self._running:
                self._running = True
                threading.Thread(target=self._run, name="clock", daemon=True).start()

    def remove(self, tick: Tick) -> None:
        with self._lock:
            self._ticks.remove(tick)

    def _run(self) -> None:
        while True:
            time.sleep(TICK_S)
            with self._lock:
                ticks = list(self._ticks)
                if not ticks:
                    self._running = False
                    return
            for tick in ticks:
                tick()


_clock = _Clock()


def every_tick(call: Callable[[], object]) -> Tick:
    """Has `call` made every TICK_S from now on, from another thread, until it is dropped."""
    tick = Tick(call)
    _clock.add(tick)
    return tick
