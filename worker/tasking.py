"""Tasks that the courier runs: work that takes time and needs no engines, or has had their answer."""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from arq.worker import Retry

from core.errors import DatabaseUnavailable, LeaseLost, QueueUnavailable, SmartTalkerError
from core.i18n import t
from core.kinds import DEFAULT_LANGUAGE, LANGUAGES
from core.logging import get_logger, log_context, where
from db import tasks
from worker.holding import held
from worker.patience import patiently
from worker.tasks._source import release
from worker.tasks.base import Office, Run

log = get_logger(__name__)

AT_ONCE = 2
"""Tasks work with pictures and sound, and the courier must go on sending."""
ATTEMPTS = 8
BUG_ATTEMPTS = 3
LONGEST_BACK_OFF_S = 60.0
TASK_S = 900.0
LATE_S = 300.0
"""So long a conversation waits for what the engines have to say to its task."""
AWAY_S = 1.0


class Failure(SmartTalkerError):
    """A task raised what it should not, or its process died in it: it is tried again, a few times."""

    permanent = False


def find_run(kind: str) -> Run:
    """worker/tasks/<kind>.py's `run`. Raises SmartTalkerError where there is none."""
    if not kind.isidentifier():
        raise SmartTalkerError("no such kind of task")
    try:
        run: Run = importlib.import_module(f"worker.tasks.{kind}").run
    except (ModuleNotFoundError, AttributeError) as error:
        raise SmartTalkerError(f"no task is called {kind}") from error
    return run


class Tasking:
    """Claims tasks until none is left, at most AT_ONCE side by side."""

    def __init__(self, office: Office, owner: str, find: Callable[[str], Run] = find_run) -> None:
        self._office = office
        self._database = office.database
        self._owner = owner
        self._find = find
        self._busy = 0
        self._rung = False

    async def start(self) -> None:
        """Takes back what a dead process of this name had in hand, and rings for it."""
        await tasks.take_back(self._database, self._owner)
        with suppress(QueueUnavailable):
            await self.reconcile()

    async def reconcile(self) -> None:
        """Rings for tasks that nobody rang for, and takes over what somebody has waited for too long.

        Raises DatabaseUnavailable, QueueUnavailable.
        """
        if late := await tasks.hand_over_late(self._database, LATE_S):
            log.warning("engines_away", tasks=late)
        if await tasks.waiting(self._database):
            await self._office.queue.ring_task("any")
        if await tasks.waiting(self._database, tasks.RENDER):
            await self._office.queue.ring_render("task")

    async def task(self, _ctx: dict[Any, Any], _task_id: str) -> None:
        """Runs whatever may run; where enough are at work already, they look once more before they end."""
        if self._busy >= AT_ONCE:
            self._rung = True
            return
        self._busy += 1
        try:
            await self._work()
        except DatabaseUnavailable:
            log.warning("database_away")
            raise Retry(defer=AWAY_S) from None
        finally:
            self._busy -= 1

    async def _work(self) -> None:
        while True:
            self._rung = False
            claimed = await tasks.claim(self._database, self._owner, self._office.settings.lease_s)
            if claimed is not None:
                with log_context(task_id=claimed["id"], task=claimed["kind"]):
                    await held(self._database, claimed, self._office.settings, self._run(claimed))
            elif not self._rung:
                return

    async def _run(self, task: Mapping[str, Any]) -> None:
        try:
            claimable = await self._finished(task)
        except LeaseLost:
            raise
        except SmartTalkerError as error:
            return await self._failed(task, error)
        log.info("task_done", attempt=task["attempts"])
        await self._ring(task, claimable)

    async def _finished(self, task: Mapping[str, Any]) -> list[Any]:
        """What render may claim now. Raises SmartTalkerError, whatever the task raises."""
        if task["attempts"] > ATTEMPTS:
            raise SmartTalkerError("the process died in it again and again")
        try:
            async with asyncio.timeout(TASK_S):
                done = await self._find(task["kind"])(self._office, task)
            return list(
                await self._patiently(
                    lambda: tasks.complete(self._database, task, done.result, done.replies, done.write)
                )
            )
        except SmartTalkerError:
            raise
        except Exception as error:
            log.error("task_crashed", error=type(error).__name__, where=where(error))
            raise Failure(type(error).__name__) from error

    async def _failed(self, task: Mapping[str, Any], error: SmartTalkerError) -> None:
        most = BUG_ATTEMPTS if isinstance(error, Failure) else ATTEMPTS
        final = error.permanent or task["attempts"] >= most
        log.warning("task_failed", code=error.code, why=error.user_message_id, attempt=task["attempts"], final=final)
        why = {"code": error.code, "message_id": error.user_message_id, "args": error.args_for_user}
        if final:
            await self._patiently(lambda: tasks.fail(self._database, task, why, lambda spoken: notice(error, spoken)))
            with suppress(OSError):
                release(self._office, task)
            return await self._ring(task, [])
        delay_s = min(2.0 ** task["attempts"], LONGEST_BACK_OFF_S)
        await self._patiently(lambda: tasks.again(self._database, task, why, delay_s))
        with suppress(QueueUnavailable):
            await self._office.queue.ring_task(task["id"], delay_s)
        return None

    async def _patiently(self, write: Callable[[], Any]) -> Any:
        """The lease is renewed meanwhile, and what the task did must not be done again because nobody noted it."""
        return await patiently(write, self._office.settings.lease_s)

    async def _ring(self, task: Mapping[str, Any], claimable: list[Any]) -> None:
        """A bell that is not heard costs a reconciler's beat."""
        with suppress(QueueUnavailable):
            if task["conversation_id"] is not None:
                await self._office.queue.ring_courier(task["conversation_id"])
            for what in claimable:
                await self._office.queue.ring_render(what)


def notice(error: SmartTalkerError, spoken: str | None) -> dict[str, Any]:
    """The error's sentence as a row of the outbox, in the person's language."""
    language = spoken if spoken in LANGUAGES else DEFAULT_LANGUAGE
    message_id, args = error.user_message_id, error.args_for_user
    try:
        text = t(message_id, language, **args)
    except KeyError:
        message_id = SmartTalkerError.message_id
        text = t(message_id, language)
    return {"kind": "notice", "payload": {"text": text, "language": language, "id": message_id}}
