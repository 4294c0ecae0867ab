"""How the service is doing, in figures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from core.states import BEFORE_RENDERED
from db import admin, switches


@dataclass(frozen=True)
class Stats:
    """states: turns by state, of those that have ended the ones of today. today: {"turns", "video_s", "median_s",
    "worst_s"} since midnight UTC. failures: today's by code. people: by channel {"known", "today", "banned"}. depth:
    turns before `rendered`."""

    paused: bool
    depth: int
    states: Mapping[str, int]
    today: Mapping[str, Any]
    failures: Mapping[str, int]
    people: Mapping[str, Mapping[str, int]]

    def packed(self) -> dict[str, Any]:
        """As JSON."""
        return asdict(self)


async def read(connection: AsyncConnection) -> Stats:
    states = await admin.states(connection)
    return Stats(
        paused=await switches.get(connection, switches.PAUSED) is not None,
        depth=sum(states.get(state, 0) for state in BEFORE_RENDERED),
        states=states,
        today=await admin.today(connection),
        failures=await admin.failures(connection),
        people=await admin.people(connection),
    )
