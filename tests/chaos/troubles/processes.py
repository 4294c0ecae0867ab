"""`kill -9` and SIGTERM, of one of our own processes."""

from __future__ import annotations

import random
import signal
import time

from tests.chaos.troubles.base import GONE, Lasting
from tests.chaos.troubles.moments import next_layer
from tests.chaos.whole import Whole

BACK_S = 6.0
"""From a new process' first moment until it works: Python's start, on a machine with other things to do."""
LAYERS = ("emotion", "llm", "tts", "video", "upscale", "end", "any")
"""Where the kill waits for a turn to be; `asr` would wait for a voice note. `end`: the last layer is done."""
WAIT_S = 3.0


class Kill(Lasting):
    """At the next time that a turn enters a layer drawn by chance; after WAIT_S without one, then."""

    def __init__(self, victim: str) -> None:
        super().__init__(f"kill_{victim}", BACK_S)
        self._victim = victim

    async def bite(self, whole: Whole, chance: random.Random) -> dict[str, str]:
        layer = chance.choice(LAYERS)
        met = layer != "any" and await next_layer(whole, layer, WAIT_S)
        victim = await whole.present(self._victim)
        if victim is None:
            return GONE
        victim.kill()
        killed = f"{time.monotonic():.3f}"
        back = await whole.another(self._victim, victim.pid)
        return {"process": self._victim, "layer": layer if met else "any", "back": str(back), "killed": killed}


class Term(Lasting):
    """Asks it to end, which it does when what it has in hand is done or given back."""

    def __init__(self, victim: str) -> None:
        super().__init__(f"term_{victim}", BACK_S)
        self._victim = victim

    async def bite(self, whole: Whole, chance: random.Random) -> dict[str, str]:
        victim = await whole.present(self._victim)
        if victim is None:
            return GONE
        victim.send_signal(signal.SIGTERM)
        back = await whole.another(self._victim, victim.pid, within_s=60.0)
        return {"process": self._victim, "back": str(back)}
