"""What a piece of work cost: seconds, and the most memory that this process and its children held meanwhile.

Several layers work at once in one process, and neither torch nor the kernel tells their memory apart. So a figure is
the whole process's peak during the work, all engines that were loaded then included, not the work's own share.
"""

from __future__ import annotations

import errno
import os
import resource
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

_RESET_PEAK = b"5"
"""Written to /proc/<pid>/clear_refs: VmHWM starts again at what is resident now (proc(5))."""
_PAGE, _ENTRY = 4096, 64
"""What the kernel fills of a list before it gives it out, and more than one entry of it has: less is the end."""


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
    """The resident memory of this process and all below it; pages that they share count for each.

    Children are looked for when a peak is read, since each thread may have some: 0.1 ms with forty threads. One that
    was not there the last time counts with its peak since its own start. Where the kernel can't begin a peak anew (no
    /proc, or one that may not be written), the figure is the larger of what is resident at the beginning and at the
    end; without /proc the process's peak since its start.
    """

    def __init__(self, proc: Path = Path("/proc")) -> None:
        self._proc = str(proc)
        self._known = [f"{proc}/self"]
        self._before = 0

    def begin_peak(self) -> None:
        anew = [_begins_anew(folder) for folder in self._known]
        self._before = 0 if all(anew) else sum(_field_mb(folder, b"VmRSS") for folder in self._known)

    def peak_mb(self) -> int:
        self._known = list(self._family())
        field = b"VmRSS" if self._before else b"VmHWM"
        return max(sum(_field_mb(folder, field) for folder in self._known), self._before) or _lifetime_mb()

    def _family(self) -> Iterator[str]:
        """/proc/<pid> of this process and of all below it."""
        waiting = ["self"]
        while waiting:
            folder = f"{self._proc}/{waiting.pop()}"
            yield folder
            with suppress(OSError), os.scandir(f"{folder}/task") as tasks:
                for task in tasks:
                    waiting += _read(f"{task.path}/children").decode().split()


def _begins_anew(folder: str) -> bool:
    """Whether the process's peak does now; a process that is gone has none."""
    try:
        file = os.open(f"{folder}/clear_refs", os.O_WRONLY)
        try:
            os.write(file, _RESET_PEAK)
        finally:
            os.close(file)
    except OSError as error:
        return error.errno in (errno.ENOENT, errno.ESRCH)
    return True


def _field_mb(folder: str, name: bytes) -> int:
    """A field of /proc/<pid>/status that counts in kB; 0 where the process is gone."""
    _, found, after = _read(f"{folder}/status").partition(b"\n" + name + b":")
    return int(after.split(maxsplit=1)[0]) >> 10 if found else 0


def _read(path: str) -> bytes:
    """A file that the kernel makes up while it is read; empty where there is none. By system calls, which take a
    tenth of the time that files in Python do."""
    whole = b""
    with suppress(OSError):
        file = os.open(path, os.O_RDONLY)
        try:
            while True:
                part = os.read(file, _PAGE)
                whole += part
                if len(part) < _PAGE - _ENTRY:
                    break
        finally:
            os.close(file)
    return whole


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
