"""A person who talks to the bot on a chat platform: events through Reception, answers out of the outbox."""

from __future__ import annotations

from pathlib import Path
from secrets import token_hex
from typing import Any

from bot.bell import Bell
from bot.commands.base import Desk
from bot.reception import Reception
from core.catalogue import Catalogue
from core.messages import Inbound
from core.queue import Queue
from core.settings import HOME, Settings
from core.storage import Storage
from db.sessions import Database
from tests.helpers import rows, shared_metrics


class Talk:
    """One person (or group) on one channel."""

    def __init__(
        self, database: Database, queue: Queue, folder: Path, channel: str = "telegram", **changes: Any
    ) -> None:
        """changes: fields of every Inbound, or settings; texts wait for no others if not told so."""
        named = {name: changes.pop(name) for name in list(changes) if name in Settings.model_fields}
        self.settings = Settings(_env_file=None, data_dir=folder, **{"gather_s": 0, **named})
        self.database = database
        self.storage = Storage(self.settings.media_dir)
        self.catalogue = Catalogue(folder, HOME)
        self.person = str(changes.pop("person", token_hex(6)))
        self.channel = channel
        self.reception = Reception(
            database, Bell(queue), Desk(self.settings, self.catalogue, self.storage), shared_metrics()
        )
        self._changes = changes
        self._read = 0

    async def event(self, **what: Any) -> list[dict[str, Any]]:
        """Takes an event in; what it added to the outbox: kind and payload."""
        values = {"sender_id": self.person, "chat_id": self.person, **self._changes, **what}
        event = Inbound(self.channel, "bot", token_hex(8), message_id=token_hex(4), **values)
        await self.reception.take([event])
        found = await rows(
            self.database,
            "SELECT o.* FROM outbox o JOIN conversations c ON c.id = o.conversation_id "
            "WHERE c.channel = :channel AND c.external_chat_id = :chat AND o.id > :read ORDER BY o.id",
            channel=self.channel,
            chat=values["chat_id"],
            read=self._read,
        )
        self._read = max([self._read, *(row["id"] for row in found)])
        return found

    async def say(self, text: str, **what: Any) -> list[dict[str, Any]]:
        return await self.event(text=text, **what)

    async def press(self, choice: str, **what: Any) -> list[dict[str, Any]]:
        return await self.event(choice=choice, **what)

    async def ids(self, text: str, **what: Any) -> list[str]:
        """The ids of the sentences that a line was answered with."""
        return [row["payload"]["id"] for row in await self.say(text, **what)]

    async def chat(self) -> dict[str, Any]:
        """The conversation's row."""
        found = await rows(
            self.database,
            "SELECT * FROM conversations WHERE channel = :channel AND external_chat_id = :chat",
            channel=self.channel,
            chat=self.person,
        )
        return found[0]

    async def turns(self) -> list[dict[str, Any]]:
        chat = (await self.chat())["id"]
        return await rows(self.database, "SELECT * FROM turns WHERE conversation_id = :chat ORDER BY seq", chat=chat)
