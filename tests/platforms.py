"""A chat platform of the tests' own: takes rows as real ones do, checks what it is given, and fails when told to."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

from bot.channels.base import Channel, Chat, Limits, Outgoing, Sent, Surroundings
from core.catalogue import Catalogue
from core.errors import ConfigurationError
from core.queue import Queue
from core.settings import HOME, Settings
from core.states import TurnEvent
from core.storage import Storage
from db import turns
from db.intake import accept
from db.sessions import Database
from db.turns import Save
from tests.helpers import inbound, rows
from worker.channels import Channels
from worker.tasks.base import Office

NEEDED = {
    "text": {"text"},
    "notice": {"text", "language"},
    "voice": {"path", "seconds"},
    "video": {"path", "seconds"},
    "menu": {"text", "language", "choices"},
    "document": {"path", "filename"},
}
PAYLOADS: dict[str, dict[str, Any]] = {
    "text": {"text": "An answer.", "language": "en"},
    "notice": {"text": "A word.", "language": "en"},
    "voice": {"path": "t/1/voice.ogg", "seconds": 2.0, "bytes": 9},
    "video": {"path": "t/1/video.mp4", "seconds": 2.0, "bytes": 9, "width": 512, "height": 512},
}


@dataclass
class Platform:
    """errors: what the next sends raise, None for one that goes out. during: called inside each send."""

    name: str = "telegram"
    limits: Limits = field(default_factory=Limits)
    taken: list[Outgoing] = field(default_factory=list)
    calls: int = 0
    errors: list[BaseException | None] = field(default_factory=list)
    learned: dict[str, Any] = field(default_factory=dict)
    during: Callable[[Outgoing], Awaitable[None]] | None = None
    closed: int = 0
    _busy: set[tuple[str, str | None]] = field(default_factory=set)

    async def send(self, row: Outgoing) -> Sent:
        self._check(row)
        place = (row.conversation_id, row.turn_id)
        assert place not in self._busy, "two rows of one turn at once"
        self._busy.add(place)
        self.calls += 1
        try:
            if self.during is not None:
                await self.during(row)
            if self.errors and (error := self.errors.pop(0)) is not None:
                raise error
        finally:
            self._busy.discard(place)
        self.taken.append(row)
        return Sent(f"m{len(self.taken)}", self.learned)

    def _check(self, row: Outgoing) -> None:
        assert isinstance(row.id, int)
        assert str(UUID(row.conversation_id)) == row.conversation_id
        assert NEEDED[row.kind] <= set(row.payload), row.kind
        json.dumps(dict(row.payload))
        assert row.chat.id
        assert row.chat.account
        assert isinstance(row.chat.addresses, dict)
        assert isinstance(row.chat.traits, dict)

    async def fetch(self, remote: Mapping[str, Any], target: Path) -> None:
        raise AssertionError("nothing is fetched here")

    async def progress(self, chat: Chat, *, uploading: bool, message_id: str | None) -> None:
        raise AssertionError("no sign is shown here")

    async def close(self) -> None:
        self.closed += 1

    @property
    def kinds(self) -> list[str]:
        return [row.kind for row in self.taken]


def make_office(
    database: Database, queue: Queue, folder: Path, *platforms: Platform, **settings: Any
) -> tuple[Office, Channels]:
    """An office whose channels are these, and the page; any other lacks its credentials."""
    known = Settings(_env_file=None, data_dir=folder, **settings)
    storage = Storage(known.media_dir)

    def open_one(name: str, surroundings: Surroundings) -> Channel:
        for platform in platforms:
            if platform.name == name:
                return platform
        if name == "web":
            from bot.channels.web.send import Sender

            return Sender(surroundings)
        raise ConfigurationError(f"the channel {name} has no credentials")

    channels = Channels(Surroundings(known, queue, storage), open_one)
    return Office(known, database, queue, storage, Catalogue(folder, HOME), channels), channels


async def answered(
    database: Database,
    *kinds: str,
    channel: str = "telegram",
    chat: str = "7",
    event: TurnEvent | None = TurnEvent.RENDER,
    **columns: Any,
) -> tuple[UUID, str]:
    """A turn with these rows, rendered if not told otherwise, and its conversation. columns: of the turn, also."""
    message = inbound(channel=channel, account="bot", chat_id=chat, message_id="q1")
    accepted = await accept(database, message, avatar="layla")
    claimed = await turns.claim(database, "r", 30)
    assert claimed is not None
    written = [{"kind": kind, "payload": PAYLOADS[kind]} for kind in kinds]
    saved = {"answer": "An answer.", "answer_language": "en", **columns}
    await turns.save(database, claimed, Save(columns=saved, outbox=written, event=event))
    return UUID(accepted.turn_id), accepted.conversation_id


async def due_now(database: Database) -> None:
    """Whatever waits for its time need not."""
    await rows(database, "UPDATE outbox SET not_before = now() WHERE state = 'pending' RETURNING id")


async def delayed_rings(queue: Queue, function: str = "send") -> dict[str, float]:
    """What will be rung for, and in how many seconds."""
    loop_ms = await queue.pool.time()
    now = loop_ms[0] + loop_ms[1] / 1e6
    found = await queue.pool.zrange("smarttalker:courier", 0, -1, withscores=True)
    named = {name.decode(): score / 1000 - now for name, score in found}
    return {name.split(":")[1]: left for name, left in named.items() if name.startswith(f"{function}:")}


async def rung(queue: Queue) -> int:
    """How many rings the courier has, delayed ones among them."""
    return int(await queue.pool.zcard("smarttalker:courier"))
