"""What a piece of work took of the clock, and of the processors of this process and those below it."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

import psutil

from bench.figures import Figures


@dataclass(frozen=True)
class Spent:
    """Seconds."""

    wall: float = 0.0
    cpu: float = 0.0

    def __add__(self, other: Spent) -> Spent:
        return Spent(self.wall + other.wall, self.cpu + other.cpu)

    def figures(self, name: str, unit: str, per: float = 1.0) -> Figures:
        """In ms. unit: the name's last word. per: what it is divided by."""
        return {f"{name}_cpu_{unit}": 1000 * self.cpu / per, f"{name}_wall_{unit}": 1000 * self.wall / per}


def spent(work: Callable[[], object]) -> Spent:
    """Processes that begin in it must outlive it; theirs is counted in hundredths of a second (proc(5))."""
    below = _below()
    cpu, wall = time.process_time(), time.perf_counter()
    work()
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    return Spent(wall, cpu + _below() - below)


def _below() -> float:
    total = 0.0
    for process in psutil.Process().children(recursive=True):
        with suppress(psutil.Error):  # it has ended meanwhile
            times = process.cpu_times()
            total += times.user + times.system
    return total
