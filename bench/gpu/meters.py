"""What an engine takes while it is loaded, and what it keeps when it says that it has given everything back."""

from __future__ import annotations

import gc
import threading
from typing import Protocol

import psutil

from bench.figures import Figures
from bench.memory import Watch
from worker.gpu.card import Card

_PERIOD_S = 0.05


class Meter(Protocol):
    """Of one engine, from `begin`, before it is loaded."""

    def begin(self) -> None:
        """What is held now is not the engine's."""

    def peak(self) -> Figures:
        """The most since then: between the last call and `unload`."""

    def left(self) -> Figures:
        """What is still held: after `unload`."""


class OfCard:
    """peak: of torch's allocator in this process. kept: what the allocator still holds afterwards. left: what the
    driver says is free less than before: that, and the programs that CUDA loads into its context as each is first
    used, which stay until the process ends (the context itself is made beforehand)."""

    def __init__(self, card: Card) -> None:
        self._card = card
        self._free = self._held = 0

    def begin(self) -> None:
        self._card.tidy()
        self._free, self._held = self._card.free_mb(), self._card.held_mb()
        self._card.begin_peak()

    def peak(self) -> Figures:
        return {"card_peak_mib": float(self._card.peak_mb())}

    def left(self) -> Figures:
        return {
            "card_kept_mib": float(self._card.held_mb() - self._held),
            "card_left_mib": float(self._free - self._card.free_mb()),
        }


class OfWholeCard:
    """As the driver says, of an engine that works in another process: its peak, seen twenty times a second, is all
    that it holds, CUDA's context and programs too. Wrong where others use the card meanwhile."""

    def __init__(self, card: Card) -> None:
        self._card = card
        self._free = self._least = 0
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def begin(self) -> None:
        self._card.tidy()
        self._free = self._least = self._card.free_mb()
        self._stop.clear()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()

    def peak(self) -> Figures:
        self._stop.set()
        if self._thread is not None:
            self._thread.join()
        return {"card_peak_mib": float(self._free - min(self._least, self._card.free_mb()))}

    def left(self) -> Figures:
        return {"card_left_mib": float(self._free - self._card.free_mb())}

    def _look(self) -> None:
        while not self._stop.wait(_PERIOD_S):
            self._least = min(self._least, self._card.free_mb())


class OfMachine:
    """The machine's memory that this process and those below it hold, in proportional set size."""

    def __init__(self) -> None:
        self._watch = Watch(psutil.Process())
        self._before = 0.0

    def begin(self) -> None:
        gc.collect()
        self._before = self._watch.now_mib()
        self._watch.__enter__()

    def peak(self) -> Figures:
        self._watch.__exit__()
        return {"ram_peak_mib": max(self._watch.peak_mib, self._watch.now_mib()) - self._before}

    def left(self) -> Figures:
        return {"ram_left_mib": self._watch.now_mib() - self._before}
