"""Everything that can go wrong, by name. Each trouble bites, and heals."""

from __future__ import annotations

import signal
from collections.abc import Mapping

from tests.chaos.troubles import bell, children, clocks, database, disk, platforms, processes, sends, servers
from tests.chaos.troubles.base import Happened, Trouble

__all__ = ["TROUBLES", "Happened", "Trouble"]

REDIS_BACK_S, POSTGRES_BACK_S = 8.0, 10.0
"""Our processes connect again, or end and are started anew, and ring for what waits."""

_ALL: tuple[Trouble, ...] = (
    *(processes.Kill(name) for name in ("bot", "courier", "render", "child")),
    sends.KillSending(),
    *(processes.Term(name) for name in ("bot", "courier", "render")),
    servers.Ended("redis_stop", signal.SIGTERM, REDIS_BACK_S),
    servers.Ended("redis_kill", signal.SIGKILL, REDIS_BACK_S),
    bell.Flushed(),
    bell.Slow(),
    servers.Ended("postgres_kill", signal.SIGKILL, POSTGRES_BACK_S),
    servers.Ended("postgres_restart", signal.SIGINT, POSTGRES_BACK_S),
    database.Stopped(),
    database.Cut(),
    disk.Full(),
    clocks.Step("clock_back", -1),
    clocks.Step("clock_ahead", 1),
    platforms.Answers("platform_429", 4.0, ("429",)),
    platforms.Answers("platform_5xx", 8.0, ("500", "502", "503")),
    platforms.Answers("platform_timeout_after", 35.0, ("timeout_after",)),
    platforms.Answers("platform_reset_after", 8.0, ("reset", "reset_after")),
    platforms.Away(),
    children.Hang(),
    children.OutOfMemory(),
    children.Crash(),
)
TROUBLES: Mapping[str, Trouble] = {trouble.name: trouble for trouble in _ALL}
