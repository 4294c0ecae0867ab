"""What a task is given, and what it leaves."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.channels.base import Channel
from core.catalogue import Catalogue
from core.queue import Queue
from core.settings import Settings
from core.storage import Storage
from db.sessions import Database


@dataclass(frozen=True)
class Office:
    """What every task shares. channel: opens, once, the channel of a name."""

    settings: Settings
    database: Database
    queue: Queue
    storage: Storage
    catalogue: Catalogue
    channel: Callable[[str], Channel]


@dataclass(frozen=True)
class Done:
    """What the transaction that ends the task writes.

    replies: rows {"kind", "payload"} for the outbox of the task's conversation. write: more, in the same transaction;
    it returns the turns, and the tasks for engines, that may be claimed then.
    """

    result: dict[str, Any] = field(default_factory=dict)
    replies: list[dict[str, Any]] = field(default_factory=list)
    write: Callable[[AsyncConnection], Awaitable[list[Any]]] | None = None


Run = Callable[[Office, Mapping[str, Any]], Awaitable[Done]]
"""Raises a SmartTalkerError: a permanent one ends the task and the person is told its sentence, another is tried again.
It may run twice (a crash in between), so what it does outside the transaction is safe to do twice.

Of a task that needed engines (worker.engine_tasks) `result` is what came of its order: {"done": the order's own}, or
{"failed": {"code", "layer"}} after several attempts, or None where no engine was to be had for long: then somebody who
waits is told what there is without it."""
