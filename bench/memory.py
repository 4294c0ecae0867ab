"""How much memory a process and all below it hold: proportional set size, from /proc/<pid>/smaps_rollup."""

from __future__ import annotations

import threading
from contextlib import suppress
from pathlib import Path

import psutil

PERIOD_S = 0.1


def pss_mib(process: psutil.Process) -> float:
    """Pages that several processes share count in shares (proc(5))."""
    kib = 0
    for each in [process, *process.children(recursive=True)]:
        with suppress(OSError):  # it has ended meanwhile
            rollup = Path(f"/proc/{each.pid}/smaps_rollup").read_text()
            kib += sum(int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Pss:"))
    return kib / 1024


class Watch:
    """Inside `with`, looks ten times a second; `peak_mib` is the most it saw."""

    def __init__(self, process: psutil.Process) -> None:
        self._process = process
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self.peak_mib = 0.0

    def now_mib(self) -> float:
        return pss_mib(self._process)

    def __enter__(self) -> Watch:
        self.peak_mib = 0.0
        self._stop.clear()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._stop.set()
        if self._thread is not None:
            self._thread.join()

    def _look(self) -> None:
        while not self._stop.is_set():
            self.peak_mib = max(self.peak_mib, self.now_mib())
            self._stop.wait(PERIOD_S)
