"""The wall clock of our processes and servers steps, and steps back to the right time after a while."""

from __future__ import annotations

import asyncio
import math
import random

from tests.chaos.troubles.base import Lasting
from tests.chaos.whole import Whole

LEAST_S, MOST_S = 3.0, 7200.0


class Step(Lasting):
    """sign: 1 ahead, -1 back."""

    def __init__(self, name: str, sign: int) -> None:
        super().__init__(name, 4.0)
        self._sign = sign

    async def bite(self, whole: Whole, chance: random.Random) -> dict[str, str]:
        step = self._sign * math.exp(chance.uniform(math.log(LEAST_S), math.log(MOST_S)))
        seconds = chance.uniform(2.0, 6.0)
        if not whole.clock.works:
            return {"missed": "no compiler"}
        whole.clock.set(step)
        try:
            await asyncio.sleep(seconds)
        finally:
            whole.clock.set(0.0)
        return {"step": f"{step:+.1f}", "seconds": f"{seconds:.1f}"}
