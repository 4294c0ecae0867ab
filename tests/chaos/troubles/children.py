"""What befalls the process that holds the engines."""

from __future__ import annotations

import asyncio
import random
import signal

import psutil

from tests.chaos.troubles.base import GONE, Lasting
from tests.chaos.troubles.processes import BACK_S
from tests.chaos.whole import LEASE_S, Whole

ROOM_BYTES = 1 << 20
QUIET_S = LEASE_S + 3.0


class Crash(Lasting):
    """As after a wrong pointer in a library."""

    def __init__(self) -> None:
        super().__init__("child_crash", BACK_S)

    async def bite(self, whole: Whole, chance: random.Random) -> dict[str, str]:
        victim = await whole.present("child")
        if victim is None:
            return GONE
        victim.send_signal(signal.SIGSEGV)
        return {"process": "child", "back": str(await whole.another("child", victim.pid))}


class Hang(Lasting):
    """It stands still until it is killed for its silence, or (where it had nothing to do) for some seconds."""

    def __init__(self) -> None:
        super().__init__("child_hang", BACK_S)

    async def bite(self, whole: Whole, chance: random.Random) -> dict[str, str]:
        victim = await whole.present("child")
        if victim is None:
            return GONE
        victim.suspend()
        try:
            killed = await whole.another("child", victim.pid, QUIET_S)
        finally:
            if victim.is_running():
                victim.resume()
        return {"process": "child", "killed": str(killed)}


class OutOfMemory(Lasting):
    """It gets no more memory for some seconds."""

    def __init__(self) -> None:
        super().__init__("child_oom", BACK_S)

    async def bite(self, whole: Whole, chance: random.Random) -> dict[str, str]:
        victim, seconds = await whole.present("child"), chance.uniform(1.0, 4.0)
        if victim is None:
            return GONE
        room = victim.memory_info().vms + ROOM_BYTES
        victim.rlimit(psutil.RLIMIT_AS, (room, psutil.RLIM_INFINITY))
        try:
            await asyncio.sleep(seconds)
        finally:
            if victim.is_running():
                victim.rlimit(psutil.RLIMIT_AS, (psutil.RLIM_INFINITY, psutil.RLIM_INFINITY))
        return {"process": "child", "seconds": f"{seconds:.1f}"}
