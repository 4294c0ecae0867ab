"""What a channel is: its limits, how it receives (in the web process) and how it sends (in the courier).

Each folder beside this file is a platform with the same three files: `limits.LIMITS`, `receive.Receiver` and
`send.Sender`. Nothing outside such a folder asks which platform it is; what differs is in `Limits`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from fastapi import APIRouter

    from core.messages import Event
    from core.queue import Queue
    from core.settings import Settings
    from core.storage import Storage

Take = Callable[[Sequence["Event"]], Awaitable[None]]
"""Stores what came in, then returns; raises DatabaseUnavailable, and then the platform must send it again."""


@dataclass(frozen=True)
class Rates:
    """How fast a platform lets us send; None: as fast as we like."""

    account_per_s: float | None = None
    chat_per_s: float | None = None
    chat_burst: int = 1
    """Messages to one chat that may follow each other at once."""
    group_per_s: float | None = None


@dataclass(frozen=True)
class Limits:
    """What a channel takes and shows. Sizes in pixels and bytes, lengths in seconds and characters.

    transactional: sending is nothing but a change in our own database; the settled row *is* the delivery.
    """

    video_width: int = 1080
    video_height: int = 1080
    fps: int = 25
    max_video_bytes: int = 16 * 1024 * 1024
    max_video_seconds: float = 300.0
    round_seconds: float = 0.0
    """A square clip up to so long is shown as a round one; 0: there are none."""
    thumbnails: bool = False
    """The platform shows a still picture until a clip plays, and wants it from us."""
    voice_container: str = "ogg"
    max_voice_bytes: int = 16 * 1024 * 1024
    max_document_bytes: int = 16 * 1024 * 1024
    archives: bool = True
    """A ZIP may be sent as a document."""
    max_fetch_bytes: int = 16 * 1024 * 1024
    """What the platform hands out of what people send."""
    text_length: int | None = None
    """UTF-16 code units of one message; longer texts go out in parts."""
    caption_length: int = 0
    menu_choices: int = 100
    """Choices of one menu; more are paged."""
    button_title: int = 64
    choice_bytes: int = 64
    edits: bool = False
    """People can correct what they have sent."""
    window_s: float | None = None
    """So long after a person's last message the platform takes answers."""
    progress_s: float | None = None
    """The sign that an answer is being made must be renewed so often; None: there is none, or the page shows it."""
    tracks: bool = False
    """The platform tells later what became of a message, with the outbox row's id: it settles what a crash hid."""
    rates: Rates = field(default_factory=Rates)
    transactional: bool = False


@dataclass(frozen=True)
class Chat:
    """Where to send. id: the platform's. addresses: what it needs beside the id. traits: what the channel has learned
    of this chat (`Sent.learned`)."""

    id: str
    account: str
    addresses: Mapping[str, str] = field(default_factory=dict)
    traits: Mapping[str, Any] = field(default_factory=dict)
    group: bool = False


@dataclass(frozen=True)
class Outgoing:
    """A row of the outbox on its way.

    kind and payload: text, notice {"text", "language"}; voice {"path", "seconds", "bytes"}; video {"path", "seconds",
    "bytes", "width", "height", "thumbnail"?, "caption"?}; menu {"text", "language", "choices": [{"id", "title",
    "description"?}], "button"?, "picture"?}; document {"path", "filename", "text"?}. Paths are names in the storage.
    `payload["choice_token"]`, where there is one, acknowledges a button's press; `payload["repeated"]` marks a second
    attempt after an unknown outcome. reply_to: the platform's name of the message to quote.
    """

    id: int
    conversation_id: str
    turn_id: str | None
    kind: str
    payload: Mapping[str, Any]
    chat: Chat
    reply_to: str | None = None


@dataclass(frozen=True)
class Sent:
    """The platform took it; external_id is the platform's name for it, learned is kept as the chat's traits."""

    external_id: str | None = None
    learned: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Surroundings:
    """What a composition root gives a channel."""

    settings: Settings
    queue: Queue
    storage: Storage


class Channel(Protocol):
    """One platform, as the courier uses it. Made from Surroundings; opens its connections when first used."""

    name: str
    limits: Limits

    async def send(self, row: Outgoing) -> Sent:
        """One call that people see, within 50 s. Raises a ChannelError; its class says what may be done about it."""
        ...

    async def fetch(self, remote: Mapping[str, Any], target: Path) -> None:
        """Writes what `Inbound.remote` names to target. Raises MediaGone, PlatformAway, RateLimited, AudioInvalid
        ("too_large") for a recording and TooLarge for a picture."""
        ...

    async def progress(self, chat: Chat, *, uploading: bool, message_id: str | None) -> None:
        """Shows that an answer to the message is being made, for `limits.progress_s`. Raises ChannelError."""
        ...

    async def close(self) -> None: ...


class Receiver(Protocol):
    """One platform, as the web process uses it. Made from Surroundings."""

    name: str

    def routes(self, take: Take) -> APIRouter:
        """`/webhooks/<name>`: checks who calls (401, 403), takes every event of the body, then answers 200; 503 where
        `take` raises. A body that can't be read is answered with 200 and logged, else it would come again for days."""
        ...

    async def run(self, take: Take) -> None:
        """Until it is cancelled: registers what the platform must know, polls where there is no webhook. Outlives a
        platform that is away."""
        ...

    async def check(self) -> str:
        """Asks the platform once who we are there, and says how messages come in. Raises ChannelError."""
        ...
