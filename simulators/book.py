"""What the simulator remembers of the bot's doings, for the people on the other side and for tests."""

from __future__ import annotations

import asyncio
import hashlib
import secrets
import time
from collections import deque
from dataclasses import dataclass, field
from typing import Any, Final

from pydantic import BaseModel, Field

KEPT_REFUSALS: Final = 1000


class Choice(BaseModel):
    """A button or a row of a list. `id`: what the bot gets when it is pressed."""

    id: str
    title: str
    description: str | None = None


class SentMessage(BaseModel):
    """One message of the bot. `number`: 1, 2, 3 … in the order of sending, over all chats. `kind`: `text`, `voice`,
    `audio`, `video`, `video_note`, `photo`, `document`, `menu` (has choices), `template` … `media` says what a menu
    carries beside its buttons. `repeated`: an earlier message of the chat answers the same message with the same
    content. `tracker`: WhatsApp's `biz_opaque_callback_data`."""

    number: int = 0
    id: str
    chat: str
    kind: str
    text: str | None = None
    caption: str | None = None
    reply_to: str | None = None
    choices: list[Choice] = Field(default_factory=list)
    seconds: float | None = None
    width: int | None = None
    height: int | None = None
    bytes: int | None = None
    mime: str | None = None
    file: str | None = None
    media: str | None = None
    thumbnail: str | None = None
    repeated: bool = False
    edits: int = 0
    deleted: bool = False
    tracker: str | None = None
    reaction: str | None = None
    at: float = Field(default_factory=time.time)


class Action(BaseModel):
    """A sign of life: a chat action, a typing sign, a read mark, an answered button."""

    chat: str
    action: str
    message_id: str | None = None
    text: str | None = None
    at: float = Field(default_factory=time.time)


class Refusal(BaseModel):
    """A request that the platform refused; `invalid` where a right bot never sends it (a 429, or a person who blocks
    the bot, is no fault of the bot's)."""

    method: str
    status: int
    why: str
    chat: str | None = None
    invalid: bool = True
    at: float = Field(default_factory=time.time)


@dataclass(frozen=True)
class KeptFile:
    """A file at `/control/files/<name>`."""

    data: bytes
    mime: str


@dataclass
class Book:
    """Everything that the bot did. `stir` wakes those who wait for a message after a change."""

    messages: list[SentMessage] = field(default_factory=list)
    actions: list[Action] = field(default_factory=list)
    refused: deque[Refusal] = field(default_factory=lambda: deque(maxlen=KEPT_REFUSALS))
    files: dict[str, KeptFile] = field(default_factory=dict)
    _seen: set[str] = field(default_factory=set)
    _by_id: dict[tuple[str, str], SentMessage] = field(default_factory=dict)
    _changed: asyncio.Condition = field(default_factory=asyncio.Condition)

    def keep(self, data: bytes, mime: str, name: str = "") -> str:
        """The path below the base URL at which people get the file."""
        name = f"{secrets.token_hex(8)}{name}"
        self.files[name] = KeptFile(data, mime)
        return f"/control/files/{name}"

    async def sent(self, message: SentMessage, content: bytes = b"") -> SentMessage:
        """Enters a message; `content` are its file's bytes, to tell a repetition."""
        message.number = len(self.messages) + 1
        message.repeated = self._is_repeated(message, content)
        self.messages.append(message)
        self._by_id[message.chat, message.id] = message
        await self.stir()
        return message

    async def stir(self) -> None:
        async with self._changed:
            self._changed.notify_all()

    def message(self, chat: str, id: str) -> SentMessage | None:
        return self._by_id.get((chat, id))

    def after(self, chat: str | None, number: int) -> list[SentMessage]:
        return [each for each in self.messages[number:] if chat in (None, each.chat)]

    async def wait_after(self, chat: str | None, number: int, wait_s: float) -> list[SentMessage]:
        """The chat's messages with a greater number; waits up to `wait_s` while there are none."""
        until = time.monotonic() + wait_s
        async with self._changed:
            while not (found := self.after(chat, number)) and (left := until - time.monotonic()) > 0:
                try:
                    await asyncio.wait_for(self._changed.wait(), left)
                except TimeoutError:
                    break
        return found

    def refuse(self, method: str, status: int, why: str, chat: Any = None, *, invalid: bool = True) -> None:
        told = None if chat is None else str(chat)
        self.refused.append(Refusal(method=method, status=status, why=why, chat=told, invalid=invalid))

    def did(self, chat: str, action: str, message_id: str | None = None, text: str | None = None) -> None:
        self.actions.append(Action(chat=chat, action=action, message_id=message_id, text=text))

    def _is_repeated(self, message: SentMessage, content: bytes) -> bool:
        """Only an answer to a certain message can be a repetition; two notices may well say the same."""
        if message.reply_to is None and message.tracker is None:
            return False
        parts = [message.chat, message.kind, message.text, message.caption, message.reply_to, message.tracker]
        print_of = hashlib.sha256(repr(parts).encode() + hashlib.sha256(content).digest()).hexdigest()
        known = print_of in self._seen
        self._seen.add(print_of)
        return known
