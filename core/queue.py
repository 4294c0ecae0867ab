"""The doorbell (arq on Redis), live progress, and the word to cancel.

Postgres stays the truth: any of this may be lost.
"""

from __future__ import annotations

import asyncio
import json
import time
import uuid
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import redis.asyncio as redis_client
from arq.connections import ArqRedis
from arq.constants import expires_extra_ms, job_key_prefix
from arq.jobs import serialize_job
from arq.utils import timestamp_ms
from redis.exceptions import RedisError
from redis.exceptions import TimeoutError as RedisTimeout

from core.errors import QueueUnavailable

COURIER = "smarttalker:courier"
RENDER = "smarttalker:render"
EVENTS = "smarttalker:events"
CANCELS = "smarttalker:cancels"
LIVE_S = 3600
CONNECT_S = 1.0
ANSWER_S = 5.0
TRIES = 3
GRID_MS = 50
"""Delayed rings are due on this grid."""
POLL_S = 0.01
"""How often a worker looks whether it was rung for: twice on a turn's way, at 5 % of a core for each idle worker."""


def connections(url: str) -> redis_client.ConnectionPool:
    """url: redis://, rediss:// or unix://<path>. A server that does not answer within ANSWER_S is away: whoever waited
    for it for good would stall in silence."""
    pool = redis_client.ConnectionPool.from_url(url, socket_connect_timeout=CONNECT_S, socket_timeout=ANSWER_S)
    pool.connection_class = _cancellable(pool.connection_class)
    return pool


def _cancellable(kind: Any) -> Any:
    """The class of connections, with another limit on the writing: redis-py's own is `asyncio.wait_for`, which in
    Python 3.11 loses a cancellation that comes in the step in which the writing is done. Whoever waits for the end of
    the task that was cancelled then waits for good."""

    class Cancellable(kind):  # type: ignore[misc]
        socket_timeout: float | None

        async def send_packed_command(self, command: Any, check_health: bool = True) -> None:
            limit, self.socket_timeout = self.socket_timeout, None
            try:
                async with asyncio.timeout(limit):
                    await super().send_packed_command(command, check_health)
            except TimeoutError as error:
                raise RedisTimeout("nothing could be written") from error
            finally:
                self.socket_timeout = limit

    return Cancellable


def pack(job: dict[str, Any]) -> bytes:
    """arq's job as JSON: what comes out of Redis is never unpickled."""
    return json.dumps(job, default=str).encode()


def unpack(data: bytes) -> dict[str, Any]:
    return dict(json.loads(data))


class Queue:
    """Rings, tells, and listens."""

    def __init__(self, pool: ArqRedis) -> None:
        self._pool = pool

    @classmethod
    async def open(cls, url: str) -> Queue:
        """Raises QueueUnavailable."""
        queue = cls.lazy(url)
        for tries_left in range(TRIES, 0, -1):
            try:
                await queue.ping()
                break
            except QueueUnavailable:
                if tries_left == 1:
                    await queue.close()
                    raise
                await asyncio.sleep(CONNECT_S)
        return queue

    @classmethod
    def lazy(cls, url: str) -> Queue:
        """Connects on the first use, so that a web process starts, and answers, while Redis is away."""
        return cls(ArqRedis(connections(url), job_serializer=pack, job_deserializer=unpack))

    @property
    def pool(self) -> ArqRedis:
        return self._pool

    async def ring_render(self, what: object, delay_s: float = 0.0) -> None:
        """There may be a turn, or a task for the engines, to claim. Raises QueueUnavailable."""
        await self._ring("look", RENDER, str(what), delay_s)

    async def ring_courier(self, conversation_id: object, delay_s: float = 0.0) -> None:
        """There may be something to send. Raises QueueUnavailable."""
        await self._ring("send", COURIER, str(conversation_id), delay_s)

    async def ring_fetch(self, turn_id: object, delay_s: float = 0.0) -> None:
        """There is media to fetch. Raises QueueUnavailable."""
        await self._ring("fetch", COURIER, str(turn_id), delay_s)

    async def ring_task(self, task_id: object, delay_s: float = 0.0) -> None:
        """There is a task for the courier to claim. Raises QueueUnavailable."""
        await self._ring("task", COURIER, str(task_id), delay_s)

    async def _ring(self, function: str, queue: str, argument: str, delay_s: float) -> None:
        """What arq's enqueue_job does, in one round trip in place of four: a new id need not be looked for first.

        Delayed rings of the same argument that are due within the same GRID_MS are one, whoever rings. A delayed job
        never begins before it is due, so it can't ring for itself under its own id, which arq would forget.
        """
        job_id, now = uuid.uuid4().hex, timestamp_ms()
        due = now
        if delay_s > 0:
            due = (now + int(delay_s * 1000)) // GRID_MS * GRID_MS + GRID_MS
            job_id = f"{function}:{argument}:{due}"
        job = serialize_job(function, (argument,), {}, None, now, serializer=pack)
        with _translated():
            async with self._pool.pipeline(transaction=True) as pipe:
                pipe.psetex(job_key_prefix + job_id, expires_extra_ms + due - now, job)
                pipe.zadd(queue, {job_id: due})
                await pipe.execute()

    async def waiting_for_render(self) -> int:
        """Rings for the render workers that are due, and that none of them has heard yet; a ring that lies ahead, for
        long where the clock was set back, wakes nobody. Raises QueueUnavailable."""
        with _translated():
            return int(await self._pool.zcount(RENDER, "-inf", timestamp_ms()))

    async def tell(self, conversation_id: object, turn_id: object, live: dict[str, Any] | None = None) -> None:
        """Something about a turn has changed; `live` ({"layer", "progress", "text"?}) is what no table holds."""
        event = json.dumps({"conversation_id": str(conversation_id), "turn_id": str(turn_id), "at": time.time()})
        with _translated():
            async with self._pool.pipeline(transaction=False) as pipe:
                if live is not None:
                    pipe.set(_live_key(turn_id), json.dumps(live), ex=LIVE_S)
                pipe.publish(EVENTS, event)
                await pipe.execute()

    async def live(self, turn_id: object) -> dict[str, Any]:
        """What was last told of a turn; empty where nothing was, or Redis is away."""
        try:
            data = await self._pool.get(_live_key(turn_id))
        except (RedisError, OSError):
            return {}
        return dict(json.loads(data)) if data else {}

    async def forget(self, turn_ids: Sequence[object]) -> None:
        """What was told of these turns is gone. Raises QueueUnavailable."""
        with _translated():
            if turn_ids:
                await self._pool.delete(*map(_live_key, turn_ids))

    async def ask_cancel(self, turn_id: object) -> None:
        with _translated():
            await self._pool.publish(CANCELS, str(turn_id))

    async def listen(self, channel: str) -> AsyncGenerator[str, None]:
        """The messages of a channel (EVENTS, CANCELS) as they come; to be closed (`aclosing`), which ends the
        subscription. Raises QueueUnavailable when Redis goes."""
        with _translated():
            async with self._pool.pubsub() as subscription:
                await subscription.subscribe(channel)
                while True:
                    message = await subscription.get_message(ignore_subscribe_messages=True, timeout=5.0)
                    if message is not None:
                        yield message["data"].decode()

    async def ping(self) -> None:
        """Raises QueueUnavailable."""
        with _translated():
            await self._pool.ping()

    async def close(self) -> None:
        await self._pool.aclose(close_connection_pool=True)


def _live_key(turn_id: object) -> str:
    return f"smarttalker:live:{turn_id}"


class _translated:  # noqa: N801 - reads as a word in `with _translated():`
    """Redis' errors as ours."""

    def __enter__(self) -> None: ...

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, RedisError | OSError):
            raise QueueUnavailable from error


@asynccontextmanager
async def opened(url: str) -> AsyncIterator[Queue]:
    """A Queue for the length of a block."""
    queue = await Queue.open(url)
    try:
        yield queue
    finally:
        await queue.close()
