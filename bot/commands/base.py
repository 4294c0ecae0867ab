"""What a command is: a coroutine that runs inside the transaction of the message which called it."""

from __future__ import annotations

import uuid
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.channels.base import Limits
from core.catalogue import Catalogue
from core.i18n import t
from core.kinds import DEFAULT_LANGUAGE, LANGUAGES
from core.messages import Inbound
from core.settings import Settings
from core.storage import Storage
from core.text.sentences import detect_language
from db import tasks
from db.entering import Entry


@dataclass(frozen=True)
class Choice:
    """A button or a row of a list; id is the command line that pressing it runs ("/avatar layla")."""

    id: str
    title: str
    description: str | None = None


@dataclass(frozen=True)
class Desk:
    """What every call shares."""

    settings: Settings
    catalogue: Catalogue
    storage: Storage


@dataclass
class Effects:
    """What is done when the transaction is committed, beside sending the replies."""

    replies: list[dict[str, Any]] = field(default_factory=list)
    tasks: list[int] = field(default_factory=list)
    cancels: list[uuid.UUID] = field(default_factory=list)
    renders: list[uuid.UUID] = field(default_factory=list)
    """Turns that may be claimed now."""
    renders_later: dict[uuid.UUID, float] = field(default_factory=dict)
    """Turns that may be claimed in so many seconds."""
    fetches: list[uuid.UUID] = field(default_factory=list)
    """Turns whose media is to be fetched."""
    others: list[uuid.UUID] = field(default_factory=list)
    """Other conversations with something to send."""


@dataclass
class Call:
    """One use of a command: `/name argument`. limits: of the channel on which it was called."""

    desk: Desk
    entry: Entry
    limits: Limits
    name: str
    argument: str
    effects: Effects = field(default_factory=Effects)

    @classmethod
    def of(cls, desk: Desk, entry: Entry, limits: Limits) -> Call:
        """The call of what entered: a button is a command line, a text may be one."""
        line = entry.inbound.choice or entry.inbound.text or ""
        name, _, argument = line.strip().partition(" ")
        return cls(desk, entry, limits, name.removeprefix("/").lower(), argument.strip())

    @property
    def connection(self) -> AsyncConnection:
        return self.entry.connection

    @property
    def inbound(self) -> Inbound:
        return self.entry.inbound

    @property
    def conversation_id(self) -> uuid.UUID:
        return uuid.UUID(str(self.entry.conversation["id"]))

    @property
    def language(self) -> str:
        """As `language_of` says."""
        return language_of(self.entry)

    @property
    def is_admin(self) -> bool:
        """In a group nobody is."""
        people = {self.inbound.sender_id, *self.inbound.known_as}
        named = {(self.inbound.channel, person.lstrip("+")) for person in people}
        return not self.inbound.group and bool(named & self.desk.settings.admin_ids)

    def say(self, message_id: str, /, **args: Any) -> None:
        """A sentence of core/i18n in the conversation's language."""
        self.send("notice", text=t(message_id, self.language, **args), id=message_id)

    def menu(self, message_id: str, choices: Sequence[Choice], /, *, picture: str | None = None, **args: Any) -> None:
        """A sentence with choices, at most `limits.menu_choices`. picture: a name in the storage, PNG or JPEG."""
        rows = [{"id": each.id, "title": each.title, "description": each.description} for each in choices]
        more: dict[str, Any] = {"picture": picture} if picture else {}
        self.send(
            "menu",
            text=t(message_id, self.language, **args),
            id=message_id,
            button=t("menu-button", self.language),
            choices=[{name: value for name, value in row.items() if value is not None} for row in rows],
            **more,
        )

    def send(self, kind: str, **payload: Any) -> None:
        """A row of the outbox, as bot.channels.base.Outgoing describes them."""
        self.effects.replies.append({"kind": kind, "payload": {"language": self.language, **payload}})

    async def task(self, kind: str, payload: dict[str, Any], *, key: str | None = None) -> int:
        """Work for the courier (worker/tasks/<kind>.py), begun when this is committed. key: makes it unique."""
        unique = key or f"{kind}:{self.entry.event}"
        number = await tasks.add(self.connection, kind, payload, key=unique, conversation_id=self.conversation_id)
        if number is not None:
            self.effects.tasks.append(number)
        return number or 0


def language_of(entry: Entry) -> str:
    """The one that was chosen, else what the message asks for, else the conversation's, else the app's, else that of
    the words, else Arabic."""
    conversation = entry.conversation
    chosen = conversation["language"] if conversation["language_chosen"] else None
    known = chosen or entry.inbound.language or conversation["language"] or conversation["hint"]
    if known is None and entry.inbound.text:
        known = detect_language(entry.inbound.text)
    return known if known in LANGUAGES else DEFAULT_LANGUAGE


Handler = Callable[[Call], Awaitable[None]]
