"""One engine: loaded, called, called again, unloaded."""

from __future__ import annotations

import multiprocessing
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from typing import Literal

from bench.figures import Figures
from bench.gpu.meters import Meter
from worker.engines.base import Engine

Size = Literal["tiny", "full"]


def tried(engine: Engine, calls: Mapping[str, Callable[[], object]], meter: Meter, again: int = 5) -> Figures:
    """Seconds of `load` and `unload`; of each call by name its first, which may still prepare something, and the
    median of those that follow, `again` of them; and the memory. The engine is unloaded whatever happens."""
    meter.begin()
    figures: Figures = {}
    try:
        figures["load_s"] = seconds(engine.load)
        for name, call in calls.items():
            figures[f"{name}_first_s"] = seconds(call)
            figures[f"{name}_steady_s"] = statistics.median(seconds(call) for _ in range(again))
    finally:
        figures |= meter.peak()
        figures["unload_s"] = seconds(engine.unload)
    return {**figures, **meter.left()}


def built(size: Size, build: Callable[..., object], *arguments: object, **named: object) -> None:
    """Calls a builder of a folder; of a large one in a process of its own, whose memory is not the engine's."""
    if size == "tiny":
        build(*arguments, **named)
        return
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as alone:
        alone.submit(build, *arguments, **named).result()


def seconds(action: Callable[[], object]) -> float:
    began = time.perf_counter()
    action()
    return time.perf_counter() - began


def named(prefix: str, figures: Figures) -> Figures:
    return {f"{prefix}_{name}": value for name, value in figures.items()}


def words(*sentences: str) -> Sequence[str]:
    """Each word of the sentences once, with the blank before it."""
    return tuple(dict.fromkeys(f" {word}" for sentence in sentences for word in sentence.split()))
