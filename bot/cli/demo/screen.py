"""What the person at the terminal sees: live progress, or plain lines where it is no terminal."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table

from bot.cli.demo.checking import Film
from bot.cli.demo.client import ENDS, Turn
from core.kinds import Layer

LAYERS = [layer.value for layer in Layer]


class Screen:
    """A context manager; inside it turns are shown live."""

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or Console(highlight=False)
        self._began = time.monotonic()
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=30),
            TextColumn("{task.fields[doing]}"),
            TimeElapsedColumn(),
            console=self._console,
            transient=True,
            disable=not self._console.is_terminal,
        )
        self._doing: dict[TaskID, str] = {}

    def __enter__(self) -> Screen:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    def say(self, text: str) -> None:
        """A line with the seconds since the start."""
        self._console.print(f"{time.monotonic() - self._began:5.1f} s  {text}", soft_wrap=True, markup=False)

    def follow(self, name: str) -> Callable[[Turn], None]:
        """A line of its own for a turn; call what is returned with each of its states."""
        task = self._progress.add_task(name, total=len(LAYERS), doing="")

        def show(turn: Turn) -> None:
            self._show(name, task, turn)

        return show

    def _show(self, name: str, task: TaskID, turn: Turn) -> None:
        doing, done = where(turn)
        self._progress.update(task, completed=done, doing=doing)
        if self._doing.get(task) != doing and not self._console.is_terminal:
            self.say(f"{name}: {doing}")
        self._doing[task] = doing

    def table(self, table: Table) -> None:
        self._console.print(table)

    def block(self, title: str, lines: Mapping[str, str]) -> None:
        """Lines that are never cut, since people copy paths from them."""
        self._console.print(f"\n{title}", markup=False)
        for name, line in lines.items():
            self._console.print(f"  {name:<11}{line}", soft_wrap=True, markup=False)


def where(turn: Turn) -> tuple[str, float]:
    """What a turn is doing, and how many of the six layers are behind it."""
    if turn["state"] in ENDS or turn["state"] == "rendered":
        return str(turn["state"]), float(len(LAYERS))
    layer = turn.get("layer")
    if layer in LAYERS:
        return str(layer), LAYERS.index(layer) + float(turn.get("progress") or 0.0)
    return str(turn["state"]), 0.0


def times(turns: Mapping[str, Turn]) -> Table:
    """Layer by layer, the engine and the milliseconds of each turn. The total is from message to delivery: it holds
    the wait behind the other turn, and layers overlap, so it is no sum."""
    table = Table(title="Stage times, ms")
    table.add_column("layer")
    for name in turns:
        table.add_column("engine")
        table.add_column(name, justify="right")
    for layer in LAYERS:
        cells = [(t["engines"].get(layer) or "", t["timings_ms"].get(layer)) for t in turns.values()]
        table.add_row(layer, *(cell for engine, ms in cells for cell in (engine or "not needed", _ms(ms))))
    totals = [_ms(turn["timings_ms"].get("total")) for turn in turns.values()]
    table.add_section()
    table.add_row("total", *(cell for total in totals for cell in ("", total)))
    return table


def _ms(value: float | None) -> str:
    return "–" if value is None else f"{value:,.0f}"


def described(path: Path, film: Film) -> str:
    size = f"{film.bytes / 1024:.0f} KiB, {film.width}x{film.height}, {film.picture_s:.2f} s at {film.fps:g}/s"
    return f"{path}  ({size}; sound {film.sound_s:.2f} s)"
