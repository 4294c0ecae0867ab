"""One request and its answer, watched for a client that goes before the end."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from fastapi import Response
from starlette.types import Receive, Scope, Send

from simulators.ollama.away import Door
from simulators.ollama.faults import OllamaFault
from simulators.ollama.refusals import Refused
from simulators.ollama.requests import Request
from simulators.ollama.simulator import OllamaSimulator
from simulators.ollama.wire import Over, Wire


@dataclass
class Call:
    """What a method's coroutine gets. fault: one that bites in the answer itself."""

    simulator: OllamaSimulator
    request: Request
    wire: Wire
    fault: OllamaFault | None = None

    def under(self, *effects: str) -> OllamaFault | None:
        """The fault, if it is one of these."""
        return self.fault if self.fault is not None and self.fault.effect in effects else None

    async def break_off(self, words: str) -> None:
        """Ends the connection as the fault says, or raises Refused with the fault's text, else these words. Returns
        where the fault is of another kind."""
        if self.under("cut"):
            await self.wire.reset()
        if self.under("dropped"):
            await self.wire.drop()
        if self.under("hang"):
            await asyncio.Event().wait()
        if fault := self.under("error_line"):
            raise Refused(500, fault.text or words)


Act = Callable[[Call], Awaitable[None]]


class Exchange(Response):
    """Runs `act`. The request is over when this ends; aborted if the client went first."""

    def __init__(self, simulator: OllamaSimulator, request: Request, act: Act, door: Door) -> None:
        super().__init__()
        self._simulator, self._request, self._act, self._door = simulator, request, act, door

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        wire, departures = Wire(self._request, receive, send), self._door.departures
        work = asyncio.create_task(self._work(wire))
        gone = asyncio.create_task(wire.gone())
        ending = asyncio.create_task(self._simulator.ending.wait())
        try:
            await asyncio.wait({work, gone, ending}, return_when=asyncio.FIRST_COMPLETED)
            self._request.aborted = not work.done() and gone.done() and self._door.departures == departures
            await _ended(work)
        finally:
            await _ended(gone)
            await _ended(ending)
            self._request.over.set()

    async def _work(self, wire: Wire) -> None:
        taken = self._simulator.faults.take(self._request.method)
        fault = taken if isinstance(taken, OllamaFault) else None
        try:
            await self._meet(wire, fault)
            await self._done(wire, fault)
            if wire.mute:
                await self._afterwards(wire, fault)
        except Over:
            pass

    async def _meet(self, wire: Wire, fault: OllamaFault | None) -> None:
        """What a fault does before the request is looked at."""
        effect = fault.effect if fault else ""
        wire.mute = effect in ("timeout_after", "reset_after")
        if effect == "timeout_before":
            await asyncio.Event().wait()
        if effect == "reset":
            await wire.reset()
        if fault is not None and effect == "away":
            self._door.leave(fault.seconds)
            raise Over

    async def _done(self, wire: Wire, fault: OllamaFault | None) -> None:
        call = Call(self._simulator, self._request, wire, fault)
        try:
            if fault is not None and fault.refusal is not None:
                if fault.effect == "out_of_memory":
                    self._simulator.runners.expire_all()
                raise fault.refusal
            await self._act(call)
        except Refused as refused:
            await self._refuse(wire, refused)

    async def _refuse(self, wire: Wire, refused: Refused) -> None:
        """An error within a stream is a line of it."""
        if wire.begun:
            await wire.line({"error": refused.message})
            await wire.end()
        else:
            await wire.json(refused.status, {"error": refused.message})

    async def _afterwards(self, wire: Wire, fault: OllamaFault | None) -> None:
        """What a fault does once the request is done."""
        if fault is not None and fault.effect == "reset_after":
            await wire.reset()
        await asyncio.Event().wait()


async def _ended(task: asyncio.Task[Any]) -> None:
    task.cancel()
    await asyncio.wait({task})
    if not task.cancelled() and (error := task.exception()) is not None:
        raise error


def json_of(body: bytes) -> dict[str, Any]:
    """For the record: {} where it is no object."""
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}
