"""Which groups there are, and running them."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from rich.console import Console

from bench.figures import Figures, keep, show
from bot.cli.serve import stopped_by_signals
from core.errors import ConfigurationError, SurroundingsError
from core.settings import HOME

OUTPUT = HOME / "outputs" / "bench.json"

GROUPS = {
    "overhead": "our own cost of a turn: no engine costs anything, the video has one frame",
    "intake": "POST to 202, at a fixed rate, from a load generator in Node",
    "webhooks": "Telegram's and WhatsApp's webhooks to 200, and 10,000 updates that come twice, late and together",
    "queued": "the same three ways in while 2,000 turns wait and rendering is paused",
    "growth": "turns a second: one at a time, and with one, two and four render processes",
    "claim": "claiming a turn while the tables hold 100,000 old ones",
    "recovery": "kill -9 of each process until work goes on, and a restart of all",
    "answer": "a ten-second and a sixty-second spoken answer at 512x512 on the CPU",
    "video": "the puppet's speed and memory at 512x512 and 1080x1080, beside x264 alone on the same frames",
    "sync": "the puppet's lips against Arabic and English phonemes, and flicker, on decoded clips",
    "wits": "the engines that need no download on held-out tables: answers, emotion, English questions in noise",
    "voices": "an engine's process, what is added to a neural sentence, its phoneme times, and good speech refused",
    "pictures": "the picture's engines on tiny networks: memory against length, and beside the original repositories",
    "start": "from nothing running to answering",
    "fresh": "a clone with an empty home and cache to a finished demo (only on request)",
}
ON_REQUEST = ("fresh",)


def main(groups: Sequence[str] = (), output: Path = OUTPUT) -> None:
    """groups: names of GROUPS; none for all but those on request. Raises ConfigurationError for an unknown name,
    and SurroundingsError at the end where a group lacked what it needs; the others are measured all the same.
    """
    chosen = list(groups) or [name for name in GROUPS if name not in ON_REQUEST]
    if unknown := [name for name in chosen if name not in GROUPS]:
        raise ConfigurationError(f"no such group: {', '.join(unknown)}; there are {', '.join(GROUPS)}")
    console = Console(highlight=False)
    tasks = {name: GROUPS[name] for name in chosen}
    if left_out := measure_each(tasks, lambda name: measurement(name)(), console, output):
        raise SurroundingsError(f"not measured: {', '.join(left_out)}")


def measure_each(
    tasks: Mapping[str, str], measure: Callable[[str], Figures], console: Console, output: Path
) -> list[str]:
    """Measures, shows and keeps one after the other; the names of those that lacked what they need.

    tasks: name and what is measured.
    """
    left_out: list[str] = []
    with stopped_by_signals():
        for name, described in tasks.items():
            console.print(f"\nmeasuring {name}: {described} …", markup=False)
            try:
                figures = measure(name)
            except SurroundingsError as error:
                left_out.append(name)
                console.print(f"left out: {error}", soft_wrap=True, markup=False)
                continue
            show(console, name, figures)
            keep(output, figures)
    console.print(f"\nwritten to {output}", soft_wrap=True, markup=False)
    return left_out


def measurement(group: str) -> Callable[[], Figures]:
    measure: Callable[[], Figures] = importlib.import_module(f"bench.{group}").measure
    return measure
