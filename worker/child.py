"""The process that holds the engines. Jobs come in on stdin and reports go out on stdout, as frames.

In:  {"do": "run", "job": {…}}, {"do": "stop"}.
Out: {"kind": "ready"}, the reports of worker.job.Report, the events of worker.gpu.loading, and one end a job:
     {"kind": "done"}, {"kind": "cancelled"} or {"kind": "failed", "code", "permanent", "layer", "message_id", "args",
     "detail"}, each with "worn": whether the process had better be replaced.
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
from worker.job import Job
from worker.lending import LOADING_S
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
    """Reads stdin in a thread: jobs wait in a queue, `stop` reaches the running one at once, an end ends all."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.jobs: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        self.stop = threading.Event()
        threading.Thread(target=self._read, name="orders", daemon=True).start()

    def _read(self) -> None:
        while (frame := read_frame(self._file)) is not None:
            order = frame[0]
            if order["do"] == "run":
                self.stop.clear()
                self.jobs.put(Job.unpacked(order["job"]))
            else:
                self.stop.set()
        self.stop.set()
        self.jobs.put(None)


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


def serve(pipeline: SmartTalkerPipeline, engines: EngineSet, orders: Orders, report: Reporter) -> None:
    """Runs jobs until stdin ends, or until the render process had better start a new child."""
    while (job := orders.jobs.get()) is not None:
        with structlog.contextvars.bound_contextvars(turn_id=job.turn_id):
            end = ended(pipeline, job, orders, report)
        orders.stop.clear()  # before the report: what is said to stop after it is the next job
        report(**end, worn=engines.worn)
        if orders.jobs.empty():
            prepare(engines, job, orders, report)


def ended(pipeline: SmartTalkerPipeline, job: Job, orders: Orders, report: Reporter) -> Mapping[str, Any]:
    """The job's last report."""
    try:
        pipeline.run(job, report, orders.stop)
    except Cancelled:
        return {"kind": "cancelled"}
    except Exception as error:
        if not isinstance(error, SmartTalkerError):
            log.exception("turn failed")
        return {"kind": "failed", **failure(error)}
    return {"kind": "done"}


def prepare(engines: EngineSet, job: Job, orders: Orders, report: Reporter) -> None:
    """While nobody waits, what had to make way for the picture comes back; a job that comes meanwhile is not lost, and
    where it is cancelled nothing more is waited for."""
    with Beats(report) as beats, interrupting(orders.stop, engines.interrupt):
        beats.allow(LOADING_S)
        try:
            engines.prepare(job.language or job.known_language)
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
    serve(SmartTalkerPipeline(engines, catalogue(settings)), engines, Orders(orders), report)
    engines.unload()


if __name__ == "__main__":
    main()
