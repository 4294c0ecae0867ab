"""The courier: sends what is in the outbox, and looks after what others dropped. Input and output only, no engines."""

from __future__ import annotations

import time
import uuid
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from functools import partial
from typing import Any

from arq.cron import cron
from arq.worker import Retry, Worker, func

from bot.channels.base import Channel
from bot.channels.registry import CHANNELS, limits_of
from core.errors import ConfigurationError, DatabaseUnavailable, LeaseLost, QueueUnavailable
from core.logging import get_logger, log_context
from core.metrics import Metrics
from core.queue import COURIER, Queue
from core.settings import Settings
from core.states import OPEN, OutboxState
from db import outbox, overlooked, turns
from worker import signs
from worker.adding.tidying import Tidier
from worker.fetching import Fetcher
from worker.half_idling import HalfIdling
from worker.identity import Identity
from worker.loop import arq_worker, finish, start, until_stopped
from worker.office import opened
from worker.pace import Pace
from worker.patience import patiently
from worker.rounds import Rounds, beside
from worker.sending import Sending, outgoing
from worker.tasking import Tasking
from worker.tasks.base import Office

log = get_logger(__name__)

SEND_LEASE_S = 75.0
"""No send takes longer, with the pause before it: each has a time-out below that."""
PATIENCE_S = SEND_LEASE_S
"""So long an absent database is waited for to hear what became of a send; after that another may have repeated it."""
LOOK_S = 120.0
"""One look sends for this long, then rings again, so that arq's own time-out never cuts a send."""
DRAIN_S = 20.0
"""A send under way is finished first."""
AWAY_S = 1.0
"""Until the next try while the database is away."""
NAMES = 10_000
"""Conversations whose channel is remembered."""
JOBS = 64
"""Side by side: sends wait for platforms, not for this machine, and a slow one must hold up nobody else."""
JOB_S = 300
TASK_JOB_S = 3600
DATABASE_CONNECTIONS = 8
RECONCILE_AT = {0, 15, 30, 45}
"""Seconds of each minute."""


class Courier:
    """Drains one conversation's outbox at a time, several conversations side by side."""

    def __init__(self, office: Office, metrics: Metrics, owner: str) -> None:
        self._office = office
        self._database = office.database
        self._queue = office.queue
        self._metrics = metrics
        self._owner = owner
        self._sending = Sending(Pace(office.queue.pool))
        self._names: dict[uuid.UUID, str] = {}
        self._missing: set[str] = set()

    async def start(self) -> None:
        """Takes back what a dead process of this name had in hand."""
        recovered = await overlooked.recover(self._database, self._owner, tracking())
        log.info("courier_starts", owner=self._owner, recovered=len(recovered))
        with suppress(QueueUnavailable):
            await self._ring(recovered)

    async def send(self, _ctx: dict[Any, Any], conversation: str) -> None:
        """Sends everything of the conversation that may be sent now."""
        conversation_id = uuid.UUID(conversation)
        with log_context(conversation_id=conversation):
            try:
                await self._send(conversation_id)
            except DatabaseUnavailable:
                log.warning("database_away")
                raise Retry(defer=AWAY_S) from None
            except QueueUnavailable:
                log.warning("redis_away")

    async def _send(self, conversation_id: uuid.UUID) -> None:
        if (name := self._names.get(conversation_id)) is None:
            return await self._meet(conversation_id)
        if _at_once(name):
            settled = await outbox.deliver(self._database, conversation_id)
            return await self._delivered(name, conversation_id, settled)
        return await self._drain(name, conversation_id)

    async def _meet(self, conversation_id: uuid.UUID) -> None:
        """Which channel a conversation is on never changes, so it is asked once, and in the same transaction."""
        name, settled = await outbox.meet(self._database, conversation_id, _at_once)
        if name is None:
            return
        if len(self._names) >= NAMES:
            self._names.clear()
        self._names[conversation_id] = name
        if _at_once(name):
            await self._delivered(name, conversation_id, settled)
        else:
            await self._drain(name, conversation_id)

    async def _delivered(self, name: str, conversation_id: uuid.UUID, settled: outbox.Settled) -> None:
        for row in settled.rows:
            self._metrics.sent(name, row["kind"], OutboxState.DELIVERED)
        for row in {row["turn_id"]: row for row in settled.rows}.values():
            # The page that misses this asks again when it comes back.
            with suppress(QueueUnavailable):
                await self._office.channel(name).send(outgoing(row))
        await self._ended(conversation_id, settled)

    async def _drain(self, name: str, conversation_id: uuid.UUID) -> None:
        try:
            channel = self._office.channel(name)
        except ConfigurationError:
            self._missing.add(name)
            return None
        if channel.limits.window_s is not None and (
            released := await overlooked.release(self._database, conversation_id)
        ):
            log.info("released", rows=released)
        until = time.monotonic() + LOOK_S
        while await self._send_next(channel, conversation_id):
            if time.monotonic() > until:
                return await self._queue.ring_courier(conversation_id)
        settled, due_s = await outbox.rest(self._database, conversation_id)
        await self._ended(conversation_id, settled)
        if due_s is not None:
            await self._queue.ring_courier(conversation_id, due_s)
        return None

    async def _send_next(self, channel: Channel, conversation_id: uuid.UUID) -> bool:
        row = await outbox.claim(self._database, conversation_id, self._owner, SEND_LEASE_S)
        if row is None:
            return False
        verdict = await self._sending.send(channel, row)
        with suppress(LeaseLost):
            await self._settle(channel, row, verdict)
        return True

    async def _settle(self, channel: Channel, row: Mapping[str, Any], verdict: outbox.Verdict) -> None:
        """An absent database is waited for: what was sent must not be sent again because nobody noted it."""
        settle = partial(
            outbox.settle,
            self._database,
            row,
            verdict,
            admins=self._office.settings.admin_ids,
            text_length=channel.limits.text_length,
        )
        settled = await patiently(settle, PATIENCE_S)
        if verdict.state is OutboxState.SENT and channel.limits.progress_s is not None:
            await signs.ended(self._queue, row["conversation_id"])
        if verdict.state not in OPEN or verdict.code is not None:
            self._metrics.sent(channel.name, row["kind"], verdict.state)
        await self._ended(row["conversation_id"], settled)
        with suppress(QueueUnavailable):
            await self._ring(dict.fromkeys(settled.rings, 0.0))
            for turn_id in settled.cancels:
                await self._queue.ask_cancel(turn_id)

    async def _ended(self, conversation_id: uuid.UUID, settled: outbox.Settled) -> None:
        """Counts the turns that are done; those that ended without a row of their own are told of here."""
        told = {row["turn_id"] for row in settled.rows}
        for turn_id, seconds in settled.ended.items():
            self._metrics.turn("done", seconds)
            log.info("turn_done", turn_id=str(turn_id))
            if turn_id not in told:
                with suppress(QueueUnavailable):
                    await self._queue.tell(conversation_id, turn_id)

    async def _ring(self, due: Mapping[uuid.UUID, float]) -> None:
        for conversation_id, delay_s in due.items():
            await self._queue.ring_courier(conversation_id, delay_s)

    async def reconcile(self) -> None:
        """Expired leases are freed, turns that no bell rings for are rung, the outbox that nobody drains is drained.

        Raises DatabaseUnavailable, QueueUnavailable.
        """
        freed = await turns.free_expired(self._database)
        recovered = await overlooked.recover(self._database, tracked=tracking())
        for turn_id in await turns.stranded(self._database, limit=1):
            await self._queue.ring_render(turn_id)
        waiting = await overlooked.undelivered(self._database, without=self._missing)
        await self._ring(recovered | dict.fromkeys(waiting, 0.0))
        if freed or recovered:
            log.warning("reconciled", turns=freed, outbox=len(recovered))


def _at_once(name: str) -> bool:
    """An unknown channel is not: opening it says so."""
    with suppress(ConfigurationError):
        return limits_of(name).transactional
    return False


def tracking() -> list[str]:
    """The channels whose platform tells later what became of a message."""
    return [name for name in CHANNELS if limits_of(name).tracks]


async def serve(settings: Settings) -> None:
    identity = Identity(settings.data_dir, "courier")
    async with opened(settings, DATABASE_CONNECTIONS) as office:
        courier = Courier(office, Metrics(settings.data_dir / "metrics"), identity.name)
        tasking = Tasking(office, identity.name)
        await courier.start()
        await tasking.start()
        rounds = (Tidier(settings.data_dir).reconcile, HalfIdling(office).reconcile)
        worker = make_worker(office.queue, courier, tasking, Fetcher(office), *rounds)
        async with beside(signs.Signs(office).run()):
            works = await until_stopped(worker)
            await finish(works, list(worker.job_tasks.values()), DRAIN_S)
        log.info("courier_ends")


def make_worker(
    queue: Queue, courier: Courier, tasking: Tasking, fetcher: Fetcher, *rounds: Callable[[], Awaitable[None]]
) -> Worker:
    """rounds: what else is looked after every few seconds."""
    parts = (courier.reconcile, fetcher.reconcile, tasking.reconcile, *rounds)
    reconcile: Callable[..., Any] = Rounds(*parts).reconcile
    jobs: dict[str, tuple[Callable[..., Any], int]] = {
        "send": (courier.send, JOB_S),
        "fetch": (fetcher.fetch, JOB_S),
        "task": (tasking.task, TASK_JOB_S),
    }
    return arq_worker(
        queue,
        COURIER,
        [func(job, name=name, timeout=timeout) for name, (job, timeout) in jobs.items()],
        max_jobs=JOBS,
        cron_jobs=[cron(reconcile, name="reconcile", second=RECONCILE_AT, run_at_startup=True, keep_result=0)],
    )


def main(settings: Settings) -> None:
    """Runs the courier; settings have both URLs. Raises SmartTalkerError where it can't start or go on."""
    start(serve(settings))
