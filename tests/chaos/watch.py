"""What is measured beside a run: how long the turns of the dead wait, and what leaks."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType

import asyncpg
import psutil
from redis.asyncio import Redis
from redis.exceptions import RedisError

from tests.chaos.whole import LEASE_S, PROCESSES, SERVERS, Whole

LEASES_S, SIZES_S = 0.1, 2.0
STEADY_S = 3.0 * LEASE_S
"""So long after the courier or PostgreSQL began, stood still or was set to another time, nobody is believed dead: each
holder of a lease is given a whole one to renew it in, from when the courier works."""
LAST_S = 10.0
"""What is on its way out at the end (a connection that closes, a helper that ends) is waited for so long."""
MB = 1 << 20
_STARTED = b'"event": "courier_starts"'
_EXPIRED = "SELECT id::text, fence FROM turns WHERE state = 'running' AND lease_until < clock_timestamp()"
_CLIENTS = "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"


@dataclass(frozen=True)
class Size:
    """Of one process: its memory in bytes, open files, threads and the processes below it."""

    pid: int
    rss: int
    files: int
    threads: int
    children: int


@dataclass(frozen=True)
class Sizes:
    """Of everything. connections: of clients, by server. files: below DATA_DIR and the folder for temporary files that
    are drafts of others."""

    processes: Mapping[str, Size]
    connections: Mapping[str, int]
    drafts: int


@dataclass(frozen=True)
class Allowed:
    """By how much a process that is at rest may have grown since it was at rest at the start: pools fill, modules are
    imported at their first use, an allocator keeps what it got."""

    rss_mb: float = 90.0
    files: int = 100
    threads: int = 12
    children: int = 0


ALLOWED = Allowed()
CONNECTIONS = 120
"""All pools filled, since they were nearly empty at the start: the courier sends to 64 chats at once."""


class Watch:
    """Samples while the block lasts. figures: `recovery_max_s` (from a death on: what a lease had left, and how long
    the turn lay after it), `expired` (leases seen to have run out), `rss_growth_mb`, `fds_growth`, `connections_max`,
    `drafts_left`."""

    def __init__(self, whole: Whole) -> None:
        self._whole = whole
        self._leases = _Leases(whole)
        self._tasks: list[asyncio.Task[None]] = []
        self._first: Sizes | None = None
        self._last: Sizes | None = None
        self._most = 0
        self.figures: dict[str, float] = {}

    async def __aenter__(self) -> Watch:
        self._first = await sizes(self._whole)
        self._tasks = [asyncio.create_task(each) for each in (self._leases.watch(), self._sizes())]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if error is None:
            await self._at_rest()
            self._reckon()

    async def _at_rest(self) -> None:
        """Looks until nothing leaks, at most for LAST_S."""
        until = time.monotonic() + LAST_S
        self._last = await sizes(self._whole)
        while self.leaks() and time.monotonic() < until:
            await asyncio.sleep(0.5)
            self._last = await sizes(self._whole)

    async def _sizes(self) -> None:
        while True:
            await asyncio.sleep(SIZES_S)
            self._most = max(self._most, (await sizes(self._whole)).connections.get("postgres", 0))

    def _reckon(self) -> None:
        grown = list(self._grown())
        self.figures = {
            "recovery_max_s": round(LEASE_S + self._leases.longest_s, 2) if self._leases.expired else 0.0,
            "expired": float(self._leases.expired),
            "rss_growth_mb": round(max((now.rss - then.rss for _, then, now in grown), default=0) / MB, 1),
            "fds_growth": float(max((now.files - then.files for _, then, now in grown), default=0)),
            "connections_max": float(self._most),
            "drafts_left": float(self._last.drafts if self._last else 0),
        }

    def _grown(self) -> list[tuple[str, Size, Size]]:
        """Each process by name, as it was and as it or the one in its place is."""
        if self._first is None or self._last is None:
            return []
        then, now = self._first.processes, self._last.processes
        return [(name, then[name], now[name]) for name in then if name in now]

    def leaks(self) -> list[str]:
        """What has grown from the rest at the start to the rest at the end by more than ALLOWED, in words."""
        found = [f"{name}: {what}" for name, then, now in self._grown() for what in _growth(then, now)]
        if self._first is not None and self._last is not None:
            found += [f"{name}: not there" for name in self._first.processes if name not in self._last.processes]
            for server, count in self._last.connections.items():
                if count > self._first.connections.get(server, 0) + CONNECTIONS:
                    found.append(f"{server}: {count} connections")
        return found


def _growth(then: Size, now: Size) -> list[str]:
    found = []
    if (grown := (now.rss - then.rss) / MB) > ALLOWED.rss_mb:
        found.append(f"{grown:.0f} MB more")
    for what, allowed in (("files", ALLOWED.files), ("threads", ALLOWED.threads), ("children", ALLOWED.children)):
        if (more := getattr(now, what) - getattr(then, what)) > allowed:
            found.append(f"{more} {what} more")
    return found


class _Leases:
    """longest_s: from when a turn's lease ran out until somebody took it up or back."""

    def __init__(self, whole: Whole) -> None:
        self._whole = whole
        self._seen: dict[tuple[str, int], float] = {}
        self._steady_from = 0.0
        self._courier = _pid(whole.process("courier"))
        self._works = True
        self._read = whole.log.stat().st_size
        self._ahead_s = 0.0
        self.longest_s = 0.0
        self.expired = 0

    async def watch(self) -> None:
        while True:
            with suppress(asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError):
                await self._connected()
            self._unsteady()
            await asyncio.sleep(LEASES_S)

    async def _connected(self) -> None:
        """Until the connection ends."""
        connection = await asyncpg.connect(_plain(self._whole.database_url), timeout=2)
        self._unsteady()
        try:
            while True:
                asked = time.monotonic()
                rows = await connection.fetch(_EXPIRED, timeout=5)
                if time.monotonic() - asked > 4 * LEASES_S:
                    self._unsteady()
                self._look({(row["id"], row["fence"]) for row in rows})
                await asyncio.sleep(LEASES_S)
        finally:
            connection.terminate()

    def _unsteady(self) -> None:
        self._steady_from = time.monotonic() + STEADY_S
        self._seen.clear()

    def _look(self, expired: set[tuple[str, int]]) -> None:
        courier, ahead_s = _pid(self._whole.process("courier")), self._whole.clock.ahead_s
        self._works = self._works and courier == self._courier
        self._hear()
        if not courier or not self._works or ahead_s != self._ahead_s:
            self._courier, self._ahead_s = courier, ahead_s
            self._unsteady()
        now = time.monotonic()
        if now < self._steady_from:
            return
        for turn in expired - self._seen.keys():
            self._seen[turn] = now
            self.expired += 1
        for turn in list(self._seen):
            self.longest_s = max(self.longest_s, now - self._seen[turn])
            if turn not in expired:
                del self._seen[turn]

    def _hear(self) -> None:
        """A process that was started works when it says so."""
        with self._whole.log.open("rb") as log:
            log.seek(self._read)
            said, _, _ = log.read().rpartition(b"\n")
        self._read += len(said)
        if _STARTED in said:
            self._works = True
            self._unsteady()


def _pid(process: psutil.Process | None) -> int:
    return process.pid if process else 0


async def sizes(whole: Whole) -> Sizes:
    """Of what runs now."""
    measured = {name: _size(whole.process(name)) for name in ("up", *PROCESSES, *SERVERS)}
    connections = {}
    with suppress(asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError):
        connections["postgres"] = await _postgres_clients(whole)
    client = Redis.from_url(whole.redis_url, socket_timeout=2)
    with suppress(RedisError, OSError):
        connections["redis"] = int((await client.info("clients"))["connected_clients"]) - 1
    with suppress(RedisError, OSError):
        await client.aclose()
    drafts = await asyncio.to_thread(_drafts, whole)
    return Sizes({name: size for name, size in measured.items() if size is not None}, connections, drafts)


async def _postgres_clients(whole: Whole) -> int:
    connection = await asyncpg.connect(_plain(whole.database_url), timeout=2)
    try:
        return int(await connection.fetchval(_CLIENTS, timeout=2))
    finally:
        connection.terminate()


def _plain(url: str) -> str:
    return url.replace("+asyncpg", "")


def _size(process: psutil.Process | None) -> Size | None:
    if process is None:
        return None
    try:
        with process.oneshot():
            below = len(process.children()) if process.name().startswith("python") else 0
            return Size(process.pid, process.memory_info().rss, process.num_fds(), process.num_threads(), below)
    except psutil.Error:
        return None


def _drafts(whole: Whole) -> int:
    """Files that were to become others and never did: a draft's name begins with a point."""
    media = whole.settings.media_dir
    return sum(1 for path in media.rglob(".*") if path.is_file()) if media.exists() else 0
