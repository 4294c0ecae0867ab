"""Tasks that need engines, in the render process: its child carries out their order, the courier does the rest.

Such a task has `worker` = render and, in its payload, an `order` (worker.orders); the order's `media` is a path below
DATA_DIR.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import aclosing, asynccontextmanager, suppress
from typing import Any

from core.errors import ChildDied, DatabaseUnavailable, QueueUnavailable, SmartTalkerError
from core.logging import get_logger, log_context
from core.metrics import Metrics
from core.queue import Queue
from core.settings import Settings
from db import switches, tasks, turns
from db.sessions import Database
from worker.child_process import Child, Report
from worker.holding import held
from worker.patience import patiently
from worker.rounds import beside

log = get_logger(__name__)

ATTEMPTS = 3
BACK_OFF_S = (1.0, 5.0)
ORDER_S = 420.0
"""Turns wait while an order is carried out: longer than engines may take to load, and a recording to be heard."""
YIELDING = ("idle",)
"""Orders that stop where somebody waits for another, since they take minutes and nobody waits for them."""
YIELDING_S = 3600.0
"""What takes longer is not tried again: this machine is too slow for it."""
LOOK_S = 1.0
"""Between two looks for who waits."""
AGAIN_S = 60.0
"""After a turn, until an order that stopped for it begins anew: who has asked likely asks more."""


class EngineTasks:
    """One task at a time, while no turn is claimable."""

    def __init__(
        self, settings: Settings, database: Database, queue: Queue, metrics: Metrics, child: Child, owner: str
    ) -> None:
        self._settings = settings
        self._database = database
        self._queue = queue
        self._metrics = metrics
        self._child = child
        self._owner = owner
        self._stopped = ""
        self.draining = False

    async def take_back(self) -> int:
        """What a dead process of this name had in hand is free at once. Raises DatabaseUnavailable."""
        return await tasks.take_back(self._database, self._owner)

    async def take_one(self) -> bool:
        """False where none is claimable. Raises DatabaseUnavailable, and what the child's start raises."""
        claimed = await tasks.claim(self._database, self._owner, self._settings.lease_s, tasks.RENDER)
        if claimed is None:
            return False
        with log_context(task_id=claimed["id"], task=claimed["kind"]):
            await held(self._database, claimed, self._settings, self._run(claimed), self._kill_silent)
        return True

    async def _kill_silent(self) -> None:
        """The lease is renewed only while the child reports: one that is silent for as long fails the attempt."""
        if self._child.works and self._child.silent_s > self._settings.lease_s:
            log.error("child_silent")
            await self._child.kill()

    async def _run(self, task: Mapping[str, Any]) -> None:
        began = time.monotonic()
        try:
            end = await self._end_of(task)
        except BaseException:
            # What the child still does belongs to nobody.
            await self._child.kill()
            raise
        if end["kind"] == "cancelled" and _yields(task):
            log.info("order_yields")
            return await patiently(lambda: tasks.give_back(self._database, task, AGAIN_S), self._settings.lease_s)
        if end["kind"] == "done":
            log.info("order_done", attempt=task["attempts"], seconds=round(time.monotonic() - began, 3))
            return await self._hand_over(task, {"done": end["result"]})
        return await self._failed(task, end)

    async def _end_of(self, task: Mapping[str, Any]) -> Report:
        """The last report of this attempt."""
        if task["attempts"] > ATTEMPTS:
            return _failure(ChildDied("the process died in it again and again"))
        try:
            async with asyncio.timeout(YIELDING_S if _yields(task) else ORDER_S), self._yielding(task):
                return await self._reports(task)
        except (ChildDied, TimeoutError) as error:
            await self._child.kill()
            if self._stopped == _name(task):
                return {"kind": "cancelled"}
            self._metrics.child_restart()
            if isinstance(error, ChildDied):
                return _failure(error)
            return _failure(ChildDied("the order took too long", refused=_yields(task)))

    async def _reports(self, task: Mapping[str, Any]) -> Report:
        end: Report = {}
        order = task["payload"]["order"]
        if "media" in order:
            order = order | {"media": str(self._settings.data_dir.resolve() / order["media"])}
        async with aclosing(self._child.run(_name(task), order)) as reports:
            async for report in reports:
                self._count(report)
                end = report
        return end

    @asynccontextmanager
    async def _yielding(self, task: Mapping[str, Any]) -> AsyncIterator[None]:
        """Has an order that yields stopped when somebody waits, or the process is to end."""
        self._stopped = ""
        if not _yields(task):
            yield
            return
        async with beside(self._give_way(_name(task))):
            yield

    async def _give_way(self, name: str) -> None:
        while True:
            await asyncio.sleep(LOOK_S)
            with suppress(DatabaseUnavailable):
                if self.draining or await self._somebody_waits():
                    self._stopped = name
                    return await self._child.stop(name)

    async def _somebody_waits(self) -> bool:
        """Whether a turn could be claimed now, or a task that a conversation waits for."""
        if await tasks.awaited(self._database):
            return True
        async with self._database.begin() as connection:
            if await switches.get(connection, switches.PAUSED) is not None:
                return False
        return bool(await turns.stranded(self._database, limit=1))

    def _count(self, report: Report) -> None:
        if report["kind"] == "exhausted":
            self._metrics.out_of_memory(report["layer"], report["engine"])
        elif report["kind"] == "time":
            self._metrics.layer(report["layer"], report["engine"], report["ms"] / 1000)
            for kind in ("gpu", "ram"):
                self._metrics.memory(report["layer"], report["engine"], kind, report[f"{kind}_mb"])

    async def _failed(self, task: Mapping[str, Any], end: Report) -> None:
        """Tried again after a while; at last, the courier does without."""
        attempts, why = task["attempts"], {"code": end.get("code", end["kind"]), "layer": end.get("layer")}
        final = end.get("permanent", False) or attempts >= ATTEMPTS
        log.warning("order_failed", **why, attempt=attempts, final=final, detail=end.get("detail"))
        if final:
            return await self._hand_over(task, {"failed": why})
        delay_s = BACK_OFF_S[attempts - 1]
        lease_s = self._settings.lease_s
        await patiently(lambda: tasks.again(self._database, task, why, delay_s), lease_s)
        with suppress(QueueUnavailable):
            await self._queue.ring_render(f"task-{task['id']}", delay_s)
        return None

    async def _hand_over(self, task: Mapping[str, Any], result: Mapping[str, Any]) -> None:
        await patiently(lambda: tasks.hand_over(self._database, task, result), self._settings.lease_s)
        with suppress(QueueUnavailable):
            await self._queue.ring_task(task["id"])


def _name(task: Mapping[str, Any]) -> str:
    """What the child knows its order by."""
    return f"task-{task['id']}"


def _yields(task: Mapping[str, Any]) -> bool:
    return task["payload"]["order"]["do"] in YIELDING


def _failure(error: SmartTalkerError) -> Report:
    return {"kind": "failed", "code": error.code, "permanent": error.permanent, "detail": str(error)}
