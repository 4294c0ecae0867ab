"""Prometheus metrics of all processes that share a DATA_DIR: each writes files there, the web process adds them up.

The files are allocated whole before they are mapped: a write into a hole of a mapped file on a full disk is a SIGBUS.
Where they can't be made, a process counts for itself alone and says so once.
"""

from __future__ import annotations

import contextlib
import os
import re
import socket
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest, values
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.multiprocess import MultiProcessCollector

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

_FILE = re.compile(r"(?:counter|gauge_mostrecent|histogram)_(?P<host>[a-z0-9-]+)\.(?P<pid>\d+)\.db\Z")
_FILE_BYTES = 1 << 20
"""What prometheus_client maps at first: room for some 5,000 series."""
_FOREIGN_S = 24 * 3600
"""Whether another host's process lives can't be asked; its files go when they have been still for so long."""

_WORK_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 40, 80, 160, 320)
_MEMORY_BYTES = tuple(mb * 2**20 for mb in (256, 512, 1024, 2048, 4096, 8192, 12288, 16384, 24576, 49152))
_HTTP_S = (0.001, 0.0025, 0.005, 0.01, 0.015, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10)


class Metrics:
    """One a process, made by its composition root."""

    def __init__(self, directory: Path) -> None:
        """directory: DATA_DIR/metrics, made where it is missing."""
        self._directory = directory
        self._shared = _share(directory)
        self._registry = registry = CollectorRegistry()
        self._layers = Histogram(
            "smarttalker_layer_seconds", "Time of a layer.", ["layer", "engine"], buckets=_WORK_S, registry=registry
        )
        self._turn_seconds = Histogram(
            "smarttalker_turn_seconds", "Time from intake to the end.", buckets=_WORK_S, registry=registry
        )
        self._turns = Counter("smarttalker_turns", "Turns by end state.", ["state"], registry=registry)
        self._outbox = Counter(
            "smarttalker_outbox", "Rows sent, by outcome.", ["channel", "kind", "state"], registry=registry
        )
        self._received = Counter(
            "smarttalker_received", "Events from platforms.", ["channel", "kind", "outcome"], registry=registry
        )
        self._refused = Counter(
            "smarttalker_refused", "What limits kept out, by reason.", ["channel", "reason"], registry=registry
        )
        self._http = Histogram(
            "smarttalker_http_request_seconds",
            "Time from request to the response's end.",
            ["method", "route", "status"],
            buckets=_HTTP_S,
            registry=registry,
        )
        self._steps = Counter("smarttalker_steps", "Steps down, by layer.", ["layer"], registry=registry)
        self._choices = Counter(
            "smarttalker_video_choices", "What drew, and why it was chosen.", ["engine", "why"], registry=registry
        )
        self._memory = Histogram(
            "smarttalker_layer_memory_bytes",
            "Peak memory while a layer worked, of the card (gpu) or of the process (ram).",
            ["layer", "engine", "kind"],
            buckets=_MEMORY_BYTES,
            registry=registry,
        )
        self._exhausted = Counter(
            "smarttalker_out_of_memory", "Times that memory did not suffice.", ["layer", "engine"], registry=registry
        )
        self._media = Gauge(
            "smarttalker_media_bytes",
            "Bytes of voice notes and videos that are kept.",
            registry=registry,
            multiprocess_mode="mostrecent",
        )
        self._restarts = Counter(
            "smarttalker_child_restarts", "Restarts of the process that holds the engines.", registry=registry
        )

    def layer(self, layer: str, engine: str, seconds: float) -> None:
        self._layers.labels(str(layer), engine).observe(seconds)

    def turn(self, state: str, seconds: float | None = None) -> None:
        """A turn has ended; seconds: since intake, where the answer went out."""
        self._turns.labels(str(state)).inc()
        if seconds is not None:
            self._turn_seconds.observe(seconds)

    def sent(self, channel: str, kind: str, state: str) -> None:
        self._outbox.labels(channel, kind, str(state)).inc()

    def received(self, channel: str, kind: str, outcome: str) -> None:
        """outcome: taken or duplicate; a status' own state."""
        self._received.labels(channel, kind, outcome).inc()

    def refused(self, channel: str, reason: str) -> None:
        """reason: flood, queue_full, too_many_open; video_day, where an answer lost its video alone."""
        self._refused.labels(channel, reason).inc()

    def memory(self, layer: str, engine: str, kind: str, mb: int) -> None:
        """kind: gpu or ram; mb: MiB."""
        self._memory.labels(str(layer), engine, kind).observe(mb * 2**20)

    def out_of_memory(self, layer: str, engine: str) -> None:
        """An engine's call or load ran out of memory, whatever came of it then."""
        self._exhausted.labels(str(layer), engine).inc()

    def step(self, layer: str) -> None:
        self._steps.labels(str(layer)).inc()

    def choice(self, engine: str, why: str) -> None:
        """An attempt's last one, where there was anything to choose; why: see worker.deciding.choosing."""
        self._choices.labels(engine, why).inc()

    def media(self, kept: int) -> None:
        """Bytes that are kept now: of all processes the word that came last counts."""
        self._media.set(kept)

    def child_restart(self) -> None:
        self._restarts.inc()

    def http(self, method: str, route: str, status: int, seconds: float) -> None:
        """route: the pattern, never the path, so that ids make no series."""
        self._http.labels(method, route, str(status)).observe(seconds)

    def exposition(self, queue_depth: Mapping[str, int] | None = None) -> bytes:
        """Prometheus' text format: the sums over all processes, and the depth of the queue by state where known."""
        registry = CollectorRegistry()
        if self._shared:
            MultiProcessCollector(registry, path=str(self._directory))  # type: ignore[no-untyped-call]
        else:
            registry = self._registry
        depth = GaugeMetricFamily("smarttalker_queue_depth", "Turns on their way, by state.", labels=["state"])
        for state, count in (queue_depth or {}).items():
            depth.add_metric([state], count)
        return generate_latest(registry) + (generate_latest(_Once(depth)) if queue_depth is not None else b"")


class _Once:
    """A registry of one family."""

    def __init__(self, family: GaugeMetricFamily) -> None:
        self._family = family

    def collect(self) -> list[GaugeMetricFamily]:
        return [self._family]


def clean(directory: Path) -> None:
    """Removes the files of processes that are gone; called when the web process starts."""
    for path in directory.glob("*.db"):
        name = _FILE.match(path.name)
        if name is not None and not _alive(name["host"], int(name["pid"]), path):
            with contextlib.suppress(OSError):
                path.unlink()


def _alive(host: str, pid: int, path: Path) -> bool:
    if host != _host():
        with contextlib.suppress(OSError):
            return time.time() - path.stat().st_mtime < _FOREIGN_S
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _host() -> str:
    return re.sub(r"[^a-z0-9-]", "-", socket.gethostname().lower()) or "host"


def _process() -> str:
    return f"{_host()}.{os.getpid()}"


def _share(directory: Path) -> bool:
    """Turns on prometheus_client's multiprocess mode with this process' files; False where they can't be made."""
    try:
        directory.mkdir(parents=True, exist_ok=True)
        for kind in ("counter", "gauge_mostrecent", "histogram"):
            _allocate(directory / f"{kind}_{_process()}.db")
    except OSError as error:
        structlog.get_logger().warning("metrics_not_shared", directory=str(directory), reason=error.strerror)
        _use(values.MutexValue)
        return False
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(directory)
    _use(values.MultiProcessValue(_process))  # type: ignore[no-untyped-call]
    return True


def _allocate(path: Path) -> None:
    with path.open("ab") as file:
        os.posix_fallocate(file.fileno(), 0, _FILE_BYTES)


def _use(value_class: Any) -> None:
    """prometheus_client chooses the class when it is imported; here it is chosen when the directory is known."""
    values.ValueClass = value_class
