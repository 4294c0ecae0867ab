"""How much memory a process holds, ending one that takes more than it may, and whether the kernel has ended any."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from worker.ticking import every_tick

_PAGE = os.sysconf("SC_PAGE_SIZE")
_COUNTERS = Path("/proc/vmstat")


def held_mb(pid: int) -> int:
    """Resident MiB (proc(5), statm); 0 where there is no such process, or no such file on this system."""
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * _PAGE >> 20
    except (OSError, IndexError):
        return 0


def killed_for_memory() -> int | None:
    """How many processes the kernel has killed for want of memory since it runs, of a container's limit too (proc(5),
    vmstat's oom_kill, counted before the process dies); None where it does not tell."""
    try:
        lines = _COUNTERS.read_text().splitlines()
    except OSError:
        return None
    return next((int(line.split()[1]) for line in lines if line.startswith("oom_kill ")), None)


class MemoryWatch:
    """Looks at every tick until it is dropped."""

    def __init__(self, pid: int, most_mb: int, beyond: Callable[[int], object]) -> None:
        """beyond: called with what it holds where that is over most_mb; must not wait, nor drop this watch."""
        self._pid, self._most_mb, self._beyond = pid, most_mb, beyond
        self._tick = every_tick(self._look)

    def drop(self) -> None:
        """Once."""
        self._tick.drop()

    def _look(self) -> None:
        if (held := held_mb(self._pid)) > self._most_mb:
            self._beyond(held)
