"""What every trouble is."""

from __future__ import annotations

import random
import time
from dataclasses import dataclass, field
from typing import Protocol

import psutil

from tests.chaos.whole import Whole


@dataclass(frozen=True)
class Happened:
    """at, until: monotonic seconds. what: the particulars, such as `{"layer": "tts", "process": "render"}`; `missed`
    says why nothing happened."""

    name: str
    at: float
    until: float
    what: dict[str, str] = field(default_factory=dict)


class Trouble(Protocol):
    """heals_s: after its end, at most so long until everything works again."""

    name: str
    heals_s: float

    async def __call__(self, whole: Whole, chance: random.Random) -> Happened:
        """Returns when it is over. Never raises for a victim that is gone."""


class Lasting:
    """What troubles share: they are timed, and a victim that is gone is missed."""

    def __init__(self, name: str, heals_s: float) -> None:
        self.name = name
        self.heals_s = heals_s

    async def __call__(self, whole: Whole, chance: random.Random) -> Happened:
        began = time.monotonic()
        try:
            what = await self.bite(whole, chance)
        except (psutil.Error, OSError) as error:
            what = {"missed": type(error).__name__}
        return Happened(self.name, began, time.monotonic(), what)

    async def bite(self, whole: Whole, chance: random.Random) -> dict[str, str]:
        """What happened. Raises psutil.Error or OSError where the victim is gone."""
        raise NotImplementedError


GONE = {"missed": "gone"}
