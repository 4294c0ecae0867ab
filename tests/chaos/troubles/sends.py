"""The courier dies around a send: what the platform did then is known to the platform alone."""

from __future__ import annotations

import asyncio
import random
from contextlib import suppress

import psutil

from simulators.faults import Moment
from tests.chaos.troubles.base import Lasting
from tests.chaos.troubles.processes import BACK_S
from tests.chaos.whole import Whole

WAIT_S = 6.0
WAYS: dict[str, tuple[Moment, bool]] = {
    "lost": ("arrived", True),
    "not_yet_done": ("arrived", False),
    "done_unanswered": ("done", True),
    "answered": ("answered", False),
}
"""When the courier dies, and whether the request ends there: it was lost on its way; it was not, so that the platform
does it a moment later; the platform did it and its answer found nobody; the courier has the answer, and had no time."""
_QUIET = ("sendChatAction", "setMyCommands")


class KillSending(Lasting):
    def __init__(self) -> None:
        super().__init__("kill_courier_sending", BACK_S)

    async def bite(self, whole: Whole, chance: random.Random) -> dict[str, str]:
        way = chance.choice(list(WAYS))
        done: asyncio.Future[tuple[str, str, int]] = asyncio.get_running_loop().create_future()
        for channel, platform in whole.platforms.items():
            platform.faults.watcher = _Ambush(whole, channel, way, done)
        try:
            channel, method, pid = await asyncio.wait_for(done, WAIT_S)
        except TimeoutError:
            return {"missed": "nothing was sent"}
        finally:
            for platform in whole.platforms.values():
                platform.faults.watcher = None
        back = await whole.another("courier", pid)
        return {"process": "courier", "channel": channel, "method": method, "moment": way, "back": str(back)}


class _Ambush:
    """Kills the courier at the first send that comes to the moment."""

    def __init__(self, whole: Whole, channel: str, way: str, done: asyncio.Future[tuple[str, str, int]]) -> None:
        self._whole, self._channel, self._done = whole, channel, done
        self._moment, self._cuts = WAYS[way]

    async def __call__(self, moment: Moment, method: str, chat: str | None) -> bool:
        if self._done.done() or moment != self._moment or not _is_send(method):
            return False
        victim = self._whole.process("courier")
        if victim is None:
            return False
        with suppress(psutil.NoSuchProcess):
            victim.kill()
        self._done.set_result((self._channel, method, victim.pid))
        return self._cuts


def _is_send(method: str) -> bool:
    return method == "messages" or (method.startswith("send") and method not in _QUIET)
