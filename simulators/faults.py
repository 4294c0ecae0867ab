"""Faults on demand: what a platform does on a bad day, to chosen requests, a chosen number of times."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Final, Literal

from fastapi import Response
from pydantic import BaseModel, ConfigDict, Field
from starlette.background import BackgroundTask
from starlette.types import Message, Receive, Scope, Send

from core.errors import InputError
from simulators.kinds import Id

HOLD_S: Final = 120.0
"""How long a request is left without an answer; every client gives up before."""
COMMON: Final = frozenset(
    {"429", "500", "502", "503", "504", "timeout_before", "timeout_after", "reset", "reset_after"}
)


class Fault(BaseModel):
    """`method`: the platform's name of it, or `*`. `effect`: `429`, `500`, `502`, `timeout_before` (nothing was done,
    no answer), `timeout_after` (done, no answer), `reset` (not done, connection cut), `reset_after` (done, connection
    cut), or a word of the platform's own (`expired_media`, `closed_window`). `chat`: only requests that name it.
    `skip`: this many matching requests pass first."""

    model_config = ConfigDict(extra="forbid")

    method: str = "*"
    effect: str
    times: int = Field(default=1, ge=1)
    retry_after_s: int = Field(default=1, ge=0)
    chat: Id | None = None
    skip: int = Field(default=0, ge=0)

    def meets(self, method: str, chat: str | None) -> bool:
        same_method = self.method == "*" or self.method.lower() == method.lower()
        return same_method and self.chat in (None, chat)


Moment = Literal["arrived", "done", "answered"]
"""Of a request's way: nothing is done yet; the platform did it, the answer is not sent; the answer is sent."""
Watcher = Callable[[Moment, str, str | None], Awaitable[bool]]
"""Told of each request's moments, with its method and chat. True: the connection is cut at this moment, so that what
would follow does not happen."""
Notice = Callable[[Moment], Awaitable[bool]]


class Faults:
    """The faults that are still to happen, in the order in which they were asked for. `watcher`: who is told of every
    request that the platform takes."""

    def __init__(self, own: frozenset[str] | None = None) -> None:
        """own: the platform's own effects; where they are given, others than these and the common ones are refused."""
        self._own = own
        self._waiting: list[Fault] = []
        self.watcher: Watcher | None = None

    def add(self, fault: Fault) -> None:
        """Raises InputError for an effect that the platform does not know."""
        if self._own is not None and fault.effect not in self._own | COMMON:
            raise InputError(f"unknown effect {fault.effect}: {', '.join(sorted(self._own | COMMON))}")
        self._waiting.append(fault.model_copy())

    def clear(self) -> None:
        self._waiting.clear()

    def withdraw(self, effect: str) -> None:
        """What is left of this effect does not happen."""
        self._waiting = [fault for fault in self._waiting if fault.effect != effect]

    def left(self) -> list[Fault]:
        return list(self._waiting)

    def take(self, method: str, chat: str | int | None = None, effects: frozenset[str] | None = None) -> Fault | None:
        """The fault that this request meets, if any; it counts as happened.

        effects: only faults with one of these (for a fault that bites elsewhere than at the door)."""
        for fault in self._waiting:
            wanted = effects is None or fault.effect in effects
            if wanted and fault.meets(method, None if chat is None else str(chat)):
                return self._spend(fault)
        return None

    def notice(self, method: str, chat: str | int | None = None) -> Notice:
        """Tells the watcher of one request, if there is one."""

        async def notice(moment: Moment) -> bool:
            return self.watcher is not None and await self.watcher(moment, method, None if chat is None else str(chat))

        return notice

    def _spend(self, fault: Fault) -> Fault | None:
        if fault.skip:
            fault.skip -= 1
            return None
        fault.times -= 1
        if fault.times <= 0:
            self._waiting.remove(fault)
        return fault


async def on_the_wire(fault: Fault | None, act: Callable[[], Awaitable[Response]], notice: Notice) -> Response:
    """The answer of `act`, or what becomes of it under a fault of the connection; other effects are the caller's."""
    effect = fault.effect if fault else ""
    if await notice("arrived") or effect == "reset":
        return Reset()
    if effect == "timeout_before":
        return Silence()
    answer = await act()
    if await notice("done") or effect == "reset_after":
        return Reset()
    if effect == "timeout_after":
        return Silence()
    answer.background = BackgroundTask(notice, "answered")
    return answer


class Silence(Response):
    """No answer until the client goes."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await asyncio.wait_for(_gone(receive), HOLD_S)
        except TimeoutError:
            await _cut(receive)


class Reset(Response):
    """The connection is cut without an answer."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await _cut(receive)


async def _gone(receive: Receive) -> None:
    message: Message = {}
    while message.get("type") != "http.disconnect":
        message = await receive()


async def _cut(receive: Receive) -> None:
    """uvicorn hands its request object's own method to the application; the connection hangs on that object."""
    cycle: Any = getattr(receive, "__self__", None)
    transport: Any = getattr(cycle, "transport", None)
    if transport is not None:
        transport.abort()
        await _gone(receive)
