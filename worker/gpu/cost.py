"""What a piece of work cost: seconds, and the most memory that this process and its children held meanwhile.

Several layers work at once in one process, and neither torch nor the kernel tells their memory apart. So a figure is
the whole process's peak during the work, all engines that were loaded then included, not the work's own share.
"""

from __future__ import annotations

import resource
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

_RESET_PEAK = "5"
"""Written to /proc/<pid>/clear_refs: VmHWM starts again at what is resident now (proc(5))."""


class Gauge(Protocol):
    """Something that remembers its highest mark, in MiB; a Card is one."""

    def begin_peak(self) -> None: ...

    def peak_mb(self) -> int: ...


class Peaks:
    """One gauge watched for several at once, each from its own beginning."""

    def __init__(self, gauge: Gauge) -> None:
        self._gauge = gauge
        self._lock = threading.Lock()
        self._open: dict[int, int] = {}
        self._number = 0

    def begin(self) -> int:
        """Gives what `end` takes."""
        with self._lock:
            if self._open:
                self._note()
            self._gauge.begin_peak()
            self._number += 1
            self._open[self._number] = 0
            return self._number

    def end(self, number: int) -> int:
        """MiB, the highest mark since its beginning."""
        with self._lock:
            self._note()
            return self._open.pop(number)

    def _note(self) -> None:
        mark = self._gauge.peak_mb()
        self._open = {number: max(most, mark) for number, most in self._open.items()}


class Resident:
    """The resident memory of this process and its children; pages that they share count for each.

    Where the kernel can't begin a peak anew (no /proc, or one that may not be written), the figure is the larger of
    what is resident at the beginning and at the end; without /proc the process's peak since its start.
    """

    def __init__(self, proc: Path = Path("/proc")) -> None:
        self._proc = proc
        self._before = 0

    def begin_peak(self) -> None:
        self._before = 0
        for folder in self._family():
            try:
                (folder / "clear_refs").write_text(_RESET_PEAK)
            except OSError:
                self._before += _field_mb(folder, "VmRSS")

    def peak_mb(self) -> int:
        field = "VmRSS" if self._before else "VmHWM"
        now = sum(_field_mb(folder, field) for folder in self._family())
        return max(now, self._before) or _lifetime_mb()

    def _family(self) -> Iterator[Path]:
        """/proc/<pid> of this process and of all below it."""
        waiting = ["self"]
        while waiting:
            folder = self._proc / waiting.pop()
            if folder.is_dir():
                yield folder
            for task in folder.glob("task/*/children"):
                with suppress(OSError):
                    waiting += task.read_text().split()


def _field_mb(folder: Path, name: str) -> int:
    """A field of /proc/<pid>/status that counts in kB; 0 where the process is gone."""
    with suppress(OSError):
        for line in (folder / "status").read_text().splitlines():
            if line.startswith(f"{name}:"):
                return int(line.split()[1]) >> 10
    return 0


def _lifetime_mb() -> int:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # macOS counts in bytes, others in kB
    return peak >> 20 if sys.platform == "darwin" else peak >> 10


@dataclass
class Cost:
    """Of a piece of work that is over: seconds on the clock; gpu_mb, ram_mb: MiB at most, see above."""

    seconds: float = 0.0
    gpu_mb: int = 0
    ram_mb: int = 0


class Meter:
    """Measures pieces of work, several at once if need be."""

    def __init__(
        self, card: Gauge | None = None, elsewhere_mb: Callable[[], int] = int, resident: Gauge | None = None
    ) -> None:
        """elsewhere_mb: what engines hold of the card in other processes. resident: the machine's memory."""
        self._card = None if card is None else Peaks(card)
        self._elsewhere_mb = elsewhere_mb
        self._resident = Peaks(resident or Resident())

    @contextmanager
    def __call__(self) -> Iterator[Cost]:
        """The cost is filled in when the block ends, however it does."""
        cost = Cost()
        on_card = self._card.begin() if self._card else 0
        resident, began, elsewhere = self._resident.begin(), time.perf_counter(), self._elsewhere_mb()
        try:
            yield cost
        finally:
            cost.seconds = time.perf_counter() - began
            cost.ram_mb = self._resident.end(resident)
            ours = self._card.end(on_card) if self._card else 0
            cost.gpu_mb = ours + max(elsewhere, self._elsewhere_mb())
