"""Everything that can go wrong, by name. Each trouble bites, and heals."""

from __future__ import annotations

import signal
from collections.abc import Mapping

from tests.chaos.troubles import bell, children, clocks, database, disk, platforms, processes, sends
from tests.chaos.troubles.base import Happened, Trouble

__all__ = ["TROUBLES", "Happened", "Trouble"]

_ALL: tuple[Trouble, ...] = (
    *(processes.Kill(name) for name in ("bot", "courier", "render", "child")),
    sends.KillSending(),
    *(processes.Term(name) for name in ("bot", "courier", "render")),
    bell.Ended("redis_stop", signal.SIGTERM),
    bell.Ended("redis_kill", signal.SIGKILL),
    bell.Flushed(),
    bell.Slow(),
    database.Ended("postgres_kill", signal.SIGKILL),
    database.Ended("postgres_restart", signal.SIGINT),
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
