"""The process that holds the engines. Orders come in on stdin and reports go out on stdout, as frames.

In:  {"do": a kind of worker.orders, …}, {"do": "stop"}.
Out: {"kind": "ready"}, the reports of worker.job.Report, the events of worker.gpu.loading, and one end an order:
     {"kind": "done", "result"}, {"kind": "cancelled"} or {"kind": "failed", "code", "permanent", "layer", "message_id",
     "args", "detail"}, each with "worn": whether the process had better be replaced.
"""

from __future__ import annotations

import os
import queue
import signal
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

import structlog

from core.catalogue import Catalogue
from core.errors import Cancelled, LayerError, SmartTalkerError
from core.kinds import LANGUAGES
from core.lifeline import die_with_parent
from core.logging import configure_logging, get_logger
from core.settings import HOME, Settings, read_settings
from worker.beats import Beats
from worker.frames import read_frame, write_frame
from worker.gpu import EngineSet, found_card
from worker.interrupting import interrupting
from worker.lending import LOADING_S
from worker.orders import read
from worker.orders.base import Bench, Order
from worker.pipeline import SmartTalkerPipeline
from worker.place import place_of, wants_card

log = get_logger(__name__)

QUIET_S = 0.2
"""Live reports (layer, partial) of one kind are sent at most this often; what stands at the end is always sent."""


class Reporter:
    """Writes frames from any thread; repeats of live reports are dropped."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._lock = threading.Lock()
        self._last: dict[str, float] = {}
        self._layer: str | None = None

    def __call__(self, kind: str, **data: Any) -> None:
        if kind in ("layer", "partial") and not self._due(kind, data.get("layer")):
            return
        with self._lock:
            write_frame(self._file, {"kind": kind, **data})

    def _due(self, kind: str, layer: str | None) -> bool:
        now = time.monotonic()
        new = layer is not None and layer != self._layer
        if not new and now - self._last.get(kind, 0.0) < QUIET_S:
            return False
        self._last[kind] = now
        self._layer = layer or self._layer
        return True


class Orders:
    """Reads stdin in a thread: orders wait in a queue, `stop` reaches the running one at once, an end ends all."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.waiting: queue.SimpleQueue[Mapping[str, Any] | None] = queue.SimpleQueue()
        self.stop = threading.Event()
        threading.Thread(target=self._read, name="orders", daemon=True).start()

    def _read(self) -> None:
        while (frame := read_frame(self._file)) is not None:
            if frame[0]["do"] == "stop":
                self.stop.set()
            else:
                self.stop.clear()
                self.waiting.put(frame[0])
        self.stop.set()
        self.waiting.put(None)


def failure(error: BaseException) -> Mapping[str, Any]:
    """What the render process is told of an error; unknown ones count as transient."""
    if not isinstance(error, SmartTalkerError):
        known: Mapping[str, Any] = {"code": "internal_error", "permanent": False, "message_id": "error-internal"}
        return {**known, "layer": None, "args": {}, "detail": type(error).__name__}
    return {
        "code": error.code,
        "permanent": error.permanent,
        "layer": error.layer if isinstance(error, LayerError) else None,
        "message_id": error.user_message_id,
        "args": {name: str(value) for name, value in error.args_for_user.items()},
        "detail": f"{type(error).__name__}: {error}",
    }


def serve(bench: Bench, orders: Orders, report: Reporter) -> None:
    """Carries out orders until stdin ends, or until the render process had better start a new child."""
    while (told := orders.waiting.get()) is not None:
        language, end = answered(bench, told, orders.stop, report)
        orders.stop.clear()  # before the report: what is said to stop after it is the next order
        report(**end, worn=bench.engines.worn)
        if orders.waiting.empty():
            prepare(bench.engines, language, orders, report)


def answered(
    bench: Bench, told: Mapping[str, Any], stop: threading.Event, report: Reporter
) -> tuple[str | None, Mapping[str, Any]]:
    """The language of the order, and its last report; an order that can't be read fails for good."""
    try:
        order = read(told)
    except (SmartTalkerError, KeyError, TypeError, ValueError) as error:
        log.error("order_unknown", error=type(error).__name__)
        return None, {"kind": "failed", **failure(error), "permanent": True}
    with structlog.contextvars.bound_contextvars(**order.names):
        return order.language, ended(bench, order, stop, report)


def ended(bench: Bench, order: Order, stop: threading.Event, report: Reporter) -> Mapping[str, Any]:
    """The order's last report."""
    try:
        return {"kind": "done", "result": order.carry_out(bench, report, stop)}
    except Cancelled:
        return {"kind": "cancelled"}
    except Exception as error:
        if not isinstance(error, SmartTalkerError):
            log.exception("order failed")
        return {"kind": "failed", **failure(error)}


def prepare(engines: EngineSet, language: str | None, orders: Orders, report: Reporter) -> None:
    """While nobody waits, what had to make way for the picture comes back; an order that comes meanwhile is not lost,
    and where it is cancelled nothing more is waited for."""
    with Beats(report) as beats, interrupting(orders.stop, engines.interrupt):
        beats.allow(LOADING_S)
        try:
            engines.prepare(language)
        except Exception as error:
            log.warning("not_prepared", error=type(error).__name__)


def open_engines(settings: Settings, report: Reporter) -> EngineSet:
    """On the card that the settings name, where one of their engines wants any. Raises ConfigurationError."""
    card = found_card(settings.device, settings.gpu_mb) if wants_card(settings) else None
    place = place_of(settings, card.device if card else "cpu")
    return EngineSet(settings.engine, place, card, on_event=report)


def catalogue(settings: Settings) -> Catalogue:
    return Catalogue(settings.data_dir, HOME)


def own_pipes() -> tuple[IO[bytes], IO[bytes]]:
    """Standard input and output for us alone: what libraries print, and the programs that they start, goes to standard
    error, and they read nothing."""
    orders, reports = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    with Path(os.devnull).open("rb") as nothing:
        os.dup2(nothing.fileno(), 0)
    os.dup2(2, 1)
    return orders, reports


def main() -> None:
    die_with_parent(int(sys.argv[1]))
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    settings = read_settings()
    configure_logging("child", settings)
    orders, reports = own_pipes()
    report = Reporter(reports)
    try:
        engines = open_engines(settings, report)
        engines.check(LANGUAGES)
        engines.warm_up(LANGUAGES)
    except SmartTalkerError as error:
        report("failed", **failure(error))
        raise SystemExit(1) from None
    report("ready")
    known = catalogue(settings)
    serve(Bench(engines, SmartTalkerPipeline(engines, known), known), Orders(orders), report)
    engines.unload()


if __name__ == "__main__":
    main()
