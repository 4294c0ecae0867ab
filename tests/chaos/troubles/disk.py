"""A full disk: no file of our own processes grows beyond a few bytes for some seconds; the servers have room."""

from __future__ import annotations

import asyncio
import random

import psutil

from tests.chaos.troubles.base import Lasting
from tests.chaos.whole import PROCESSES, Whole

ROOM_BYTES = 512
"""Python ignores SIGXFSZ, so that a write beyond it is an EFBIG."""


class Full(Lasting):
    def __init__(self) -> None:
        super().__init__("disk_full", 3.0)

    async def bite(self, whole: Whole, chance: random.Random) -> dict[str, str]:
        seconds = chance.uniform(2.0, 5.0)
        limited = _limit(whole, ROOM_BYTES)
        try:
            await asyncio.sleep(seconds)
        finally:
            # Those that were started meanwhile have it from whoever started them.
            _limit(whole, psutil.RLIM_INFINITY)
        return {"processes": ",".join(limited), "seconds": f"{seconds:.1f}"}


def _limit(whole: Whole, size: int) -> list[str]:
    """Sets the soft limit of each; the names of those that have it."""
    limited = []
    for name in PROCESSES:
        process = whole.process(name)
        try:
            if process is not None:
                process.rlimit(psutil.RLIMIT_FSIZE, (size, psutil.RLIM_INFINITY))
                limited.append(name)
        except psutil.NoSuchProcess:
            continue
    return limited
