"""What befalls either server. The supervisor starts it again where it is gone."""

from __future__ import annotations

import random
import signal

from tests.chaos.troubles.base import GONE, Lasting
from tests.chaos.whole import Whole

WITHIN_S = 60.0
"""A PostgreSQL that was killed reads its log first."""


class Ended(Lasting):
    """By a signal to its first process; away until the supervisor has started it again. On SIGINT PostgreSQL closes in
    order (fast shutdown)."""

    def __init__(self, name: str, number: signal.Signals, heals_s: float) -> None:
        """name: the server's, an underscore and what is done to it."""
        super().__init__(name, heals_s)
        self._server, self._number = name.partition("_")[0], number

    async def bite(self, whole: Whole, chance: random.Random) -> dict[str, str]:
        victim = await whole.present(self._server)
        if victim is None:
            return GONE
        victim.send_signal(self._number)
        return {"server": self._server, "back": str(await whole.another(self._server, victim.pid, WITHIN_S))}
