"""Models in memory: what is loaded, for how long, and who waits for it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final

from simulators.clock import Clock
from simulators.ollama.config import Config
from simulators.ollama.models import Model
from simulators.ollama.refusals import BUSY, Refused, no_room

POLL_S: Final = 0.005
FOREVER_S: Final = 2**63 / 1e9
"""A Go duration has no longer one."""


@dataclass
class Runner:
    """A loaded model. mb, vram_mb: in all, and on the card. auto: no request has named its num_ctx. session_s: how long
    it stays when nobody uses it. leaves_at: when its unloading ends, None while it is not being unloaded."""

    model: Model
    num_ctx: int
    auto: bool
    mb: float
    vram_mb: float
    session_s: float
    expires_at: float
    slots: asyncio.Semaphore
    users: int = 0
    loading: bool = True
    leaves_at: float | None = None


@dataclass
class Turn:
    """A request's turn with a runner. load_s: how long it waited for it."""

    runner: Runner
    load_s: float = 0.0


@dataclass
class Runners:
    """All of one server. others_mb: what other processes have taken of the card. loads: how many there were.

    Used on the server's own event loop alone."""

    config: Config
    clock: Clock
    others_mb: float = 0.0
    loads: int = 0
    _loaded: dict[str, Runner] = field(default_factory=dict)
    _loading: asyncio.Lock = field(default_factory=asyncio.Lock)
    _waiting: int = 0

    def listed(self) -> list[Runner]:
        """As /api/ps lists them: those that stay longest first."""
        self._sweep()
        return sorted(self._loaded.values(), key=lambda each: -each.expires_at)

    def expire(self, model: Model) -> None:
        """It is unloaded as soon as nobody uses it."""
        runner = self._loaded.get(model.full_name.key)
        if runner is not None and runner.leaves_at is None:
            runner.session_s, runner.expires_at = 0.0, self.clock.now()
        self._sweep()

    def expire_all(self) -> None:
        for runner in list(self._loaded.values()):
            self.expire(runner.model)

    @asynccontextmanager
    async def turn(self, model: Model, num_ctx: int | None, keep_alive_s: float | None) -> AsyncIterator[Turn]:
        """Loads the model if need be and waits for its turn. Raises Refused where the queue or the card is full."""
        began = time.monotonic()
        runner = await self._claimed(model, num_ctx)
        loaded = time.monotonic()
        runner.session_s = runner.session_s if keep_alive_s is None else min(keep_alive_s, FOREVER_S)
        try:
            async with self._slot(runner):
                yield Turn(runner, loaded - began)
        finally:
            runner.users -= 1
            runner.expires_at = self.clock.now() + runner.session_s
            self._sweep()

    def reloads(self, model: Model, num_ctx: int | None) -> bool:
        """Whether such a request throws out what is loaded, for its other context."""
        runner = self._loaded.get(model.full_name.key)
        return runner is not None and runner.leaves_at is None and not self._suits(runner, num_ctx)

    @asynccontextmanager
    async def _slot(self, runner: Runner) -> AsyncIterator[None]:
        self._let_in(runner.slots.locked())
        self._waiting += 1
        try:
            await runner.slots.acquire()
        finally:
            self._waiting -= 1
        try:
            yield
        finally:
            runner.slots.release()

    def _let_in(self, busy: bool) -> None:
        if busy and self._waiting >= self.config.queue:
            raise Refused(503, BUSY)

    async def _claimed(self, model: Model, num_ctx: int | None) -> Runner:
        """The model's runner, with one user more."""
        self._let_in(self._loading.locked())
        self._waiting += 1
        try:
            async with self._loading:
                runner = await self._ready(model, num_ctx)
                runner.users += 1
                return runner
        finally:
            self._waiting -= 1

    async def _ready(self, model: Model, num_ctx: int | None) -> Runner:
        self._sweep()
        runner = self._loaded.get(model.full_name.key)
        if runner is not None and runner.leaves_at is None and self._suits(runner, num_ctx):
            return runner
        if runner is not None:
            await self._unloaded(runner)
        return await self._load(model, num_ctx)

    def _suits(self, runner: Runner, num_ctx: int | None) -> bool:
        return runner.num_ctx == self._context(runner.model, num_ctx) or (runner.auto and num_ctx is None)

    def _context(self, model: Model, num_ctx: int | None) -> int:
        """Never more than the model was made for."""
        wanted = self.config.default_context if num_ctx is None else num_ctx
        return min(max(4, wanted), model.context)

    async def _load(self, model: Model, num_ctx: int | None) -> Runner:
        context = self._context(model, num_ctx)
        need = model.memory_mb(context)
        vram = await self._room(need)
        runner = Runner(
            model, context, num_ctx is None, need, vram, self.config.keep_alive_s,
            self.clock.now() + self.config.keep_alive_s, asyncio.Semaphore(self.config.parallel),
        )  # fmt: skip
        key = model.full_name.key
        self._loaded[key] = runner
        try:
            await asyncio.sleep(self.config.load_s)
        except asyncio.CancelledError:
            del self._loaded[key]
            raise
        runner.loading, self.loads = False, self.loads + 1
        return runner

    async def _room(self, need_mb: float) -> float:
        """How much of it lies on the card, once others have left it. Raises Refused 500."""
        while (free := self._free_mb()) < need_mb and self._loaded:
            idle = [each for each in self._loaded.values() if not each.users] or list(self._loaded.values())
            await self._unloaded(min(idle, key=lambda each: each.session_s))
        if need_mb <= free:
            return need_mb
        if need_mb <= free + self.config.system_mb:
            return free
        raise no_room(self.config.refusal, need_mb, free + self.config.system_mb)

    def _free_mb(self) -> float:
        return max(0.0, self.config.card_mb - self.others_mb - sum(each.vram_mb for each in self._loaded.values()))

    async def _unloaded(self, runner: Runner) -> None:
        """Returns when it is gone; who uses it is waited for."""
        self.expire(runner.model)
        while self._loaded.get(runner.model.full_name.key) is runner:
            await asyncio.sleep(POLL_S)
            self._sweep()

    def _sweep(self) -> None:
        """What nobody uses and is past its time is unloaded; what was unloaded is gone."""
        now = self.clock.now()
        for key, runner in list(self._loaded.items()):
            idle = not runner.users and not runner.loading
            if idle and runner.leaves_at is None and runner.expires_at <= now:
                runner.leaves_at = runner.expires_at + self.config.unload_s
            if runner.leaves_at is not None and runner.leaves_at <= now:
                del self._loaded[key]
