"""What makes networks quicker, each by itself and all at once."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from bench.figures import Figures
from bench.gpu.meters import Meter
from worker.networks.memory import give_back
from worker.networks.precision import move


def timed(work: Callable[[], object], device: str) -> float:
    """Seconds until the card is done; after once that is not counted, since it may compile, and on a card the less of
    two."""
    work()
    return min(_seconds(work, device) for _ in range(1 if device == "cpu" else 2))


def peak(work: Callable[[], object], meter: Meter) -> float:
    """MiB: on a card all that is held at most, on the processor what the work takes beside what was held before."""
    meter.begin()
    try:
        work()
    finally:
        figures = meter.peak()
    return next(iter(figures.values()))


def peaks(draw: Callable[[int], object], short: int, long: int, meter: Callable[[], Meter]) -> Figures:
    """Of clips of 10 and of 60 seconds: `short` and `long` frames. Each meter is a new one."""
    lengths = {"10s": short, "60s": long}
    draw(short)  # what the first call alone needs is not the clip's
    return {f"peak_{name}_mib": peak(partial(draw, frames), meter()) for name, frames in lengths.items()}


def contiguous(*networks: Any) -> None:
    """Pictures as torch has them by default; on a card ours are channels last."""
    import torch

    for network in networks:
        move(network, memory_format=torch.contiguous_format)


def channels_last(*networks: Any) -> None:
    import torch

    for network in networks:
        move(network, memory_format=torch.channels_last)


@contextmanager
def held() -> Iterator[None]:
    """What is opened inside is given back behind it; nothing may hold it any longer then."""
    try:
        yield
    finally:
        gc.collect()
        give_back()


def rates(name: str, seconds: float, frames: int, fps: int) -> Figures:
    """Seconds of computing a second of video, and frames a second."""
    return {f"{name}_s_a_second": seconds * fps / frames, f"{name}_fps": frames / seconds}


def types(device: str) -> dict[str, Any]:
    """Of numbers that are tried on a device beside the one that suits it."""
    import torch

    return {} if device == "cpu" else {"bfloat16": torch.bfloat16, "float32": torch.float32}


def _seconds(work: Callable[[], object], device: str) -> float:
    import torch

    on_card = device.startswith("cuda")
    if on_card:
        torch.cuda.synchronize(device)
    began = time.perf_counter()
    work()
    if on_card:
        torch.cuda.synchronize(device)
    return time.perf_counter() - began
