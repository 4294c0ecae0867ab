"""Progress on a terminal, a bar; in a pipe or a log, a line now and then."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)
from rich.progress import (
    Progress as RichProgress,
)

from core.weights.fetching import Progress
from core.weights.words import in_words

_EVERY_S = 10.0


@contextmanager
def shown() -> Iterator[Progress]:
    """For as long as the block runs."""
    console = Console()
    if not console.is_terminal:
        yield Lines()
        return
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=None),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    )
    with RichProgress(*columns, console=console, transient=True, expand=True) as bars:
        yield Bar(bars)


class Bar:
    """One bar, of what is under way."""

    def __init__(self, bars: RichProgress) -> None:
        self._bars = bars
        self._task = bars.add_task("", total=None, visible=False)

    def begin(self, what: str, total: int | None, done: int = 0) -> None:
        self._bars.remove_task(self._task)
        self._task = self._bars.add_task(what, total=total, completed=done)

    def advance(self, count: int) -> None:
        self._bars.advance(self._task, count)

    def note(self, text: str) -> None:
        self._bars.console.print(text, markup=False, highlight=False)


class Lines:
    """A line every ten seconds, for what takes that long."""

    def __init__(self) -> None:
        self._what, self._total, self._done = "", 0, 0
        self._said = time.monotonic()

    def begin(self, what: str, total: int | None, done: int = 0) -> None:
        self._what, self._total, self._done = what, total or 0, done

    def advance(self, count: int) -> None:
        self._done += count
        if time.monotonic() - self._said >= _EVERY_S:
            of = f" of {in_words(self._total)}, {self._done * 100 // self._total} %" if self._total else ""
            self.note(f"{self._what}: {in_words(self._done)}{of}")

    def note(self, text: str) -> None:
        self._said = time.monotonic()
        print(text, file=sys.stdout, flush=True)
