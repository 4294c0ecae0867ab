"""The control API: what the model says, faults, and what clients did."""

from __future__ import annotations

from typing import Any, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field

from simulators.control import Skip
from simulators.ollama.away import Door
from simulators.ollama.faults import OllamaFault
from simulators.ollama.replies import PARROTS
from simulators.ollama.simulator import OllamaSimulator


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Says(_Model):
    """replies: what comes next, each once; a list of texts is a reply's tokens. otherwise: what comes each time after
    them; parrot in its place: the model's own system prompt, or the user's text."""

    replies: list[str | list[str]] = Field(default_factory=list)
    otherwise: str | None = None
    parrot: Literal["system", "user"] | None = None


class Gone(_Model):
    seconds: float = Field(default=1.0, ge=0)


class Card(_Model):
    """others_mb: what other processes take of the card."""

    others_mb: float = Field(ge=0)


def control_router(simulator: OllamaSimulator, door: Door) -> APIRouter:
    """All routes below `/control`."""
    router = APIRouter(prefix="/control")
    _weather(router, simulator, door)
    _words(router, simulator)
    _results(router, simulator)
    return router


def _weather(router: APIRouter, simulator: OllamaSimulator, door: Door) -> None:
    @router.post("/faults")
    async def add_faults(faults: list[OllamaFault]) -> dict[str, int]:
        for fault in faults:
            simulator.faults.add(fault)
        return {"waiting": len(simulator.faults.left())}

    @router.get("/faults")
    async def left() -> dict[str, Any]:
        return {"faults": [each.model_dump() for each in simulator.faults.left()]}

    @router.delete("/faults")
    async def clear() -> dict[str, bool]:
        simulator.faults.clear()
        return {"ok": True}

    @router.post("/away")
    async def away(gone: Gone) -> None:
        """This request gets no answer either."""
        door.leave(gone.seconds)

    @router.post("/clock")
    async def clock(skip: Skip) -> dict[str, float]:
        simulator.clock.skip(skip.skip_s)
        return {"now": simulator.clock.now()}

    @router.post("/card")
    async def card(card: Card) -> Card:
        simulator.runners.others_mb = card.others_mb
        return card


def _words(router: APIRouter, simulator: OllamaSimulator) -> None:
    @router.post("/script")
    async def script(says: Says) -> dict[str, int]:
        simulator.script.add(*says.replies)
        if says.otherwise is not None:
            simulator.script.otherwise = says.otherwise
        if says.parrot is not None:
            simulator.script.otherwise = PARROTS[says.parrot]
        return {"waiting": simulator.script.left()}

    @router.delete("/script")
    async def clear() -> dict[str, bool]:
        simulator.script.clear()
        return {"ok": True}


def _results(router: APIRouter, simulator: OllamaSimulator) -> None:
    @router.get("/requests")
    async def requests(after: int = Query(0, ge=0)) -> dict[str, Any]:
        return {"requests": [each.shown() for each in simulator.requests if each.number > after]}

    @router.get("/oddities")
    async def oddities() -> dict[str, Any]:
        return {"oddities": simulator.oddities}
