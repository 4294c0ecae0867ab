"""The courier: sends what is in the outbox, and looks after what others dropped. Input and output only, no engines."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack, suppress
from typing import Any

from arq.cron import cron
from arq.worker import Retry, Worker, func

from bot.channels.base import Channel, Outgoing
from bot.channels.registry import open_channel
from core.errors import DatabaseUnavailable, LeaseLost, QueueUnavailable, SmartTalkerError
from core.logging import get_logger, log_context
from core.metrics import Metrics
from core.queue import COURIER, Queue
from core.settings import Settings
from core.states import OutboxState
from db import outbox, turns
from db.sessions import Database
from worker.identity import Identity
from worker.loop import arq_worker, finish, start, until_stopped

log = get_logger(__name__)

SEND_LEASE_S = 60.0
"""No send call takes longer: each has a time-out below it."""
ATTEMPTS = 5
DRAIN_S = 20.0
"""A send under way is finished first."""
AWAY_S = 1.0
"""Until the next try while the database is away."""
NAMES = 10_000
"""Conversations whose channel is remembered."""
RECONCILE_AT = {0, 15, 30, 45}
"""Seconds of each minute."""


class Courier:
    """Drains one conversation's outbox at a time, several conversations side by side."""

    def __init__(self, database: Database, queue: Queue, metrics: Metrics, owner: str) -> None:
        self._database = database
        self._queue = queue
        self._metrics = metrics
        self._owner = owner
        self._channels: dict[str, Channel] = {}
        self._names: dict[uuid.UUID, str] = {}

    async def start(self) -> None:
        recovered = await outbox.recover(self._database, self._owner)
        log.info("courier_starts", owner=self._owner, recovered=recovered)

    async def send(self, _ctx: dict[Any, Any], conversation: str) -> None:
        """Sends everything of the conversation that may be sent now."""
        conversation_id = uuid.UUID(conversation)
        with log_context(conversation_id=conversation):
            try:
                await self._send(conversation_id)
            except DatabaseUnavailable:
                log.warning("database_away")
                raise Retry(defer=AWAY_S) from None

    async def _send(self, conversation_id: uuid.UUID) -> None:
        if (name := self._names.get(conversation_id)) is None:
            return await self._meet(conversation_id)
        if self._at_once(name):
            settled = await outbox.deliver(self._database, conversation_id)
            return await self._delivered(name, conversation_id, settled)
        return await self._drain(self._channel(name), conversation_id)

    async def _meet(self, conversation_id: uuid.UUID) -> None:
        """Which channel a conversation is on never changes, so it is asked once, and in the same transaction."""
        name, settled = await outbox.meet(self._database, conversation_id, self._at_once)
        if name is None:
            return
        if len(self._names) >= NAMES:
            self._names.clear()
        self._names[conversation_id] = name
        if self._at_once(name):
            await self._delivered(name, conversation_id, settled)
        else:
            await self._drain(self._channel(name), conversation_id)

    def _at_once(self, name: str) -> bool:
        return self._channel(name).limits.transactional

    def _channel(self, name: str) -> Channel:
        if name not in self._channels:
            self._channels[name] = open_channel(name, self._queue)
        return self._channels[name]

    async def _drain(self, channel: Channel, conversation_id: uuid.UUID) -> None:
        if not await self._send_next(channel, conversation_id):
            return await self._ended(conversation_id, await outbox.end_turns(self._database, conversation_id))
        while await self._send_next(channel, conversation_id):
            pass
        return None

    async def _delivered(self, name: str, conversation_id: uuid.UUID, settled: outbox.Settled) -> None:
        for row in settled.rows:
            self._metrics.sent(name, row["kind"], OutboxState.DELIVERED)
        for row in {row["turn_id"]: row for row in settled.rows}.values():
            await self._announce(self._channel(name), row)
        await self._ended(conversation_id, settled)

    async def _announce(self, channel: Channel, row: Mapping[str, Any]) -> None:
        """The page that misses this asks again when it comes back."""
        with suppress(QueueUnavailable):
            await channel.send(outgoing(row))

    async def _send_next(self, channel: Channel, conversation_id: uuid.UUID) -> bool:
        row = await outbox.claim(self._database, conversation_id, self._owner, SEND_LEASE_S)
        if row is None:
            return False
        try:
            sent = await channel.send(outgoing(row))
        except SmartTalkerError as error:
            return await self._not_sent(channel, row, error)
        with suppress(LeaseLost):
            state = OutboxState.SENT
            settled = await outbox.settle(self._database, row, state, external_id=sent.external_id)
            self._metrics.sent(channel.name, row["kind"], state)
            await self._ended(row["conversation_id"], settled)
        return True

    async def _not_sent(self, channel: Channel, row: Mapping[str, Any], error: SmartTalkerError) -> bool:
        """Whether what comes after the row may be sent now."""
        final = error.permanent or row["attempts"] >= ATTEMPTS
        state = OutboxState.FAILED if final else OutboxState.PENDING
        log.warning("not_sent", outbox_id=row["id"], kind=row["kind"], code=error.code, attempt=row["attempts"])
        delay = 0.0 if final else 2.0 ** row["attempts"]
        with suppress(LeaseLost):
            settled = await outbox.settle(self._database, row, state, error={"code": error.code}, delay_s=delay)
            self._metrics.sent(channel.name, row["kind"], state)
            await self._ended(row["conversation_id"], settled)
        return final

    async def _ended(self, conversation_id: uuid.UUID, settled: outbox.Settled) -> None:
        """Counts the turns that are done; those that ended without a row of their own are told of here."""
        told = {row["turn_id"] for row in settled.rows}
        for turn_id, seconds in settled.ended.items():
            self._metrics.turn("done", seconds)
            log.info("turn_done", turn_id=str(turn_id))
            if turn_id not in told:
                with suppress(QueueUnavailable):
                    await self._queue.tell(conversation_id, turn_id)

    async def reconcile(self, _ctx: dict[Any, Any]) -> None:
        """Expired leases are freed, turns that no bell rings for are rung, the outbox that nobody drains is drained."""
        try:
            freed = await turns.free_expired(self._database)
            recovered = await outbox.recover(self._database)
            for turn_id in await turns.stranded(self._database, limit=1):
                await self._queue.ring_render(turn_id)
            for conversation_id in await turns.undelivered(self._database):
                await self._queue.ring_courier(conversation_id)
        except (DatabaseUnavailable, QueueUnavailable) as error:
            log.warning("reconcile_failed", code=error.code)
            return
        if freed or recovered:
            log.warning("reconciled", turns=freed, outbox=recovered)


def outgoing(row: Mapping[str, Any]) -> Outgoing:
    return Outgoing(
        id=row["id"],
        conversation_id=str(row["conversation_id"]),
        turn_id=str(row["turn_id"]) if row["turn_id"] else None,
        kind=row["kind"],
        payload=row["payload"],
    )


async def serve(settings: Settings) -> None:
    identity = Identity(settings.data_dir, "courier")
    async with AsyncExitStack() as stack:
        database = Database(settings.database_url, size=8)
        stack.push_async_callback(database.close)
        queue = await Queue.open(settings.redis_url)
        stack.push_async_callback(queue.close)
        courier = Courier(database, queue, Metrics(settings.data_dir / "metrics"), identity.name)
        await courier.start()
        worker = make_worker(courier, queue)
        works = await until_stopped(worker)
        await finish(works, list(worker.job_tasks.values()), DRAIN_S)
        log.info("courier_ends")


def make_worker(courier: Courier, queue: Queue) -> Worker:
    send: Callable[..., Any] = courier.send
    reconcile: Callable[..., Any] = courier.reconcile
    return arq_worker(
        queue,
        COURIER,
        [func(send, name="send", timeout=300)],
        max_jobs=16,
        cron_jobs=[cron(reconcile, name="reconcile", second=RECONCILE_AT, run_at_startup=True, keep_result=0)],
    )


def main(settings: Settings) -> None:
    """Runs the courier; settings have both URLs. Raises SmartTalkerError where it can't start or go on."""
    start(serve(settings))
