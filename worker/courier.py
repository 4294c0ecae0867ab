"""The courier: sends what is in the outbox, and looks after what others dropped. Input and output only, no engines."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from typing import Any

from arq.worker import Retry, Worker, func

from bot.channels.base import Channel
from bot.channels.registry import CHANNELS, limits_of
from core.errors import ConfigurationError, DatabaseUnavailable, LeaseLost, QueueUnavailable
from core.logging import get_logger, log_context
from core.metrics import Metrics
from core.queue import COURIER, Queue
from core.settings import Settings
from core.states import OPEN, OutboxState
from db import clock, outbox, overlooked, turns
from worker import signs
from worker.adding.tidying import Tidier
from worker.fetching import Fetcher
from worker.half_idling import HalfIdling
from worker.identity import Identity
from worker.loop import arq_worker, finish, start, until_stopped
from worker.office import opened
from worker.pace import Pace
from worker.patience import patiently
from worker.renewing import renewed
from worker.retention import Retention
from worker.rounds import Rounds, beside
from worker.sending import Sending, outgoing
from worker.steady import Steady
from worker.tasking import Tasking
from worker.tasks.base import Office

log = get_logger(__name__)

PATIENCE_S = 600.0
"""So long an absent database is waited for to hear what became of a send: when it is back, a lease passes before
anybody repeats what was sent."""
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
DATABASE_CONNECTIONS = 16
RINGS = 8
"""Render processes that are woken in one round; while as many rings wait to be heard, more wake nobody."""


class Courier:
    """Drains one conversation's outbox at a time, several conversations side by side."""

    def __init__(self, office: Office, metrics: Metrics, owner: str) -> None:
        self._office = office
        self._database = office.database
        self._queue = office.queue
        self._metrics = metrics
        self._owner = owner
        self._sending = Sending(Pace(office.queue.pool))
        settings = office.settings
        self._steady = Steady(settings.lease_s, settings.heartbeat_s, settings.reconcile_s)
        self._names: dict[uuid.UUID, str] = {}
        self._missing: set[str] = set()
        self.draining = False
        """Sends under way are finished, and no more begun: the next courier has the rest."""

    async def start(self) -> None:
        """Takes back what a dead process of this name had in hand; what a clock that was set back left is put right."""
        # Heard first: what is set back from here on is noticed by the next round.
        self._steady.heard(await clock.now(self._database))
        await clock.set_back(self._database, self._office.settings.lease_s)
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
        while not self.draining and time.monotonic() < until:
            if not await self._send_next(channel, conversation_id):
                return await self._rest(conversation_id)
        return await self._queue.ring_courier(conversation_id)

    async def _rest(self, conversation_id: uuid.UUID) -> None:
        """Nothing may be sent now: turns that this ends, and a ring for what is due later."""
        settled, due_s = await outbox.rest(self._database, conversation_id)
        await self._ended(conversation_id, settled)
        if due_s is not None:
            await self._queue.ring_courier(conversation_id, due_s)

    async def _send_next(self, channel: Channel, conversation_id: uuid.UUID) -> bool:
        settings = self._office.settings
        row = await outbox.claim(self._database, conversation_id, self._owner, settings.lease_s)
        if row is None:
            return False
        async with renewed(lambda: outbox.renew(self._database, row, settings.lease_s), settings.heartbeat_s):
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

    async def free(self) -> None:
        """Expired leases are freed, apart from the ringing, which a Redis that hangs holds up.

        Raises DatabaseUnavailable.
        """
        freed, recovered = await self._free()
        if freed or recovered:
            log.warning("reconciled", turns=freed, outbox=len(recovered))

    async def ring(self) -> None:
        """For what waits and nobody rang for. Raises DatabaseUnavailable, QueueUnavailable."""
        room = RINGS - await self._queue.waiting_for_render()
        for turn_id in await turns.stranded(self._database, limit=max(room, 0)):
            await self._queue.ring_render(turn_id)
        waiting = await overlooked.undelivered(self._database, without=self._missing)
        await self._ring(dict.fromkeys(waiting, 0.0))

    async def _free(self) -> tuple[int, dict[uuid.UUID, float]]:
        """What dead holders left: how many turns, and the conversations with rows of the outbox."""
        step_s = self._steady.heard(await clock.now(self._database))
        if step_s:
            log.warning("clock_was_set", seconds=round(step_s, 1))
        if step_s < 0:
            await clock.set_back(self._database, self._office.settings.lease_s)
        if not self._steady.believes:
            return 0, {}
        return await turns.free_expired(self._database), await overlooked.recover(self._database, tracked=tracking())


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
        metrics = Metrics(settings.data_dir / "metrics")
        courier = Courier(office, metrics, identity.name)
        tasking = Tasking(office, identity.name)
        await courier.start()
        await tasking.start()
        fetcher = Fetcher(office, identity.name)
        await fetcher.start()
        parts = (courier.free, courier.ring, fetcher.reconcile, tasking.reconcile)
        retention = Retention(office, metrics)
        rounds = (Tidier(settings.data_dir).reconcile, HalfIdling(office).reconcile, retention.reconcile)
        worker = make_worker(office.queue, courier, tasking, fetcher)
        looks = Rounds(*parts, *rounds).run(settings.reconcile_s)
        async with beside(signs.Signs(office).run()), beside(looks):
            works = await until_stopped(worker)
            courier.draining = True
            await finish(works, list(worker.job_tasks.values()), DRAIN_S)
        log.info("courier_ends")


def make_worker(queue: Queue, courier: Courier, tasking: Tasking, fetcher: Fetcher) -> Worker:
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
    )


def main(settings: Settings) -> None:
    """Runs the courier; settings have both URLs. Raises SmartTalkerError where it can't start or go on."""
    start(serve(settings))
