"""A platform has a bad day: it answers errors, not at all, or can't be reached."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence

from simulators.faults import Fault, Faults
from tests.chaos.troubles.base import Lasting
from tests.chaos.whole import Whole

LOOK_S = 0.1
_SENDS = {
    "telegram": ("sendMessage", "sendVoice", "sendVideoNote"),
    "whatsapp": ("messages", "media"),
}


class Answers(Lasting):
    """Each of a few requests to one platform meets an effect. Over when all have, or after `lasts_s`."""

    def __init__(self, name: str, heals_s: float, effects: Sequence[str], lasts_s: float = 6.0) -> None:
        super().__init__(name, heals_s)
        self._effects, self._lasts_s = effects, lasts_s

    async def bite(self, whole: Whole, chance: random.Random) -> dict[str, str]:
        channel, effect = chance.choice(sorted(whole.platforms)), chance.choice(self._effects)
        method, times = chance.choice(("*", *_SENDS[channel])), chance.randint(1, 4)
        faults = whole.platforms[channel].faults
        faults.add(Fault(method=method, effect=effect, times=times, retry_after_s=chance.randint(1, 3)))
        met = times - await self._left(faults, effect)
        told = {"channel": channel, "effect": effect, "method": method, "requests": str(met)}
        return told if met else told | {"missed": "nothing was asked"}

    async def _left(self, faults: Faults, effect: str) -> int:
        """How many nobody met in time; they are taken back."""
        for _ in range(round(self._lasts_s / LOOK_S)):
            await asyncio.sleep(LOOK_S)
            if not _waiting(faults, effect):
                break
        left = _waiting(faults, effect)
        faults.withdraw(effect)
        return left


def _waiting(faults: Faults, effect: str) -> int:
    return sum(fault.times for fault in faults.left() if fault.effect == effect)


class Away(Lasting):
    """Connections to one platform are refused for a few seconds; its webhooks go on."""

    def __init__(self) -> None:
        super().__init__("platform_away", 5.0)

    async def bite(self, whole: Whole, chance: random.Random) -> dict[str, str]:
        channel, seconds = chance.choice(sorted(whole.presences)), chance.uniform(1.0, 5.0)
        await whole.presences[channel].leave()
        try:
            await asyncio.sleep(seconds)
        finally:
            await whole.presences[channel].come()
        return {"channel": channel, "seconds": f"{seconds:.1f}"}
