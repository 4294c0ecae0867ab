"""What every channel makes of what it received."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

MAX_TEXT = 2_000
"""Characters of one message."""
MAX_PHOTO_BYTES = 20_000_000
"""What a Telegram bot can download (core.telegram.org/bots/api#getfile); WhatsApp sends at most 5 MB."""
MAX_AUDIO_BYTES = 16 * 1024 * 1024
MAX_AUDIO_SECONDS = 300


_NOT_CONTENT = (
    "media",
    "sender_id",
    "chat_id",
    "display_name",
    "addresses",
    "known_as",
    "quotes",
    "hint",
    "group",
    "sent_at",
    "choice_token",
)
"""What may differ between two deliveries of the same event."""


@dataclass(frozen=True)
class Inbound:
    """One thing that a person did: a text, a recording, a button, something that can't be answered, or leaving.

    A message has either `text`, or `media` (a decoded voice note below DATA_DIR's media folder), or `remote` (what the
    courier still has to fetch: {"kind": "voice" | "photo", …}, the rest is the channel's own and JSON), or `choice`
    (the id of the button that was pressed, which is a command line), or `unsupported` (the kind of what can't be
    answered: sticker, location, document, poll, contact, reaction, video, photo …), or `presence` ("left": the bot was
    blocked or removed; "back").

    event_id: the platform's id of the event, unique for channel and account. conversation_id: only the web knows it;
    the others are found by chat_id. known_as: other ids of the same chat (the phone number of a BSUID, a group before
    it became a supergroup); the conversation then goes on under chat_id. addresses: what the channel's `send` needs
    beside chat_id. message_id: the platform's name of the message, which answers quote and corrections name. quotes: it
    answers a certain message. corrects: the message of this id was edited. group: several people share the chat; only
    what is meant for the bot comes here.
    hint: the language of the person's app. sent_at: when the person sent it. language, avatar, voice, modes: choices
    that came with the message. choice_token: what the platform wants back when a button's press is acknowledged.
    """

    channel: str
    account: str
    event_id: str
    sender_id: str
    chat_id: str
    text: str | None = None
    media: str | None = None
    remote: dict[str, Any] | None = None
    choice: str | None = None
    choice_token: str | None = None
    unsupported: str | None = None
    presence: str | None = None
    conversation_id: str | None = None
    known_as: tuple[str, ...] = ()
    addresses: Mapping[str, str] = field(default_factory=dict)
    message_id: str | None = None
    quotes: bool = False
    corrects: bool = False
    group: bool = False
    display_name: str | None = None
    hint: str | None = None
    sent_at: datetime | None = None
    language: str | None = None
    avatar: str | None = None
    voice: str | None = None
    modes: tuple[str, ...] | None = None
    media_digest: str = ""

    @property
    def kind(self) -> str:
        """What it is, in a word for logs and metrics."""
        if self.remote is not None:
            return str(self.remote.get("kind", "voice"))
        if self.media is not None:
            return "voice"
        told = {"choice": self.choice, "presence": self.presence, "correction": self.corrects or None}
        return next((name for name, value in told.items() if value is not None), self.unsupported or "text")

    @property
    def digest(self) -> str:
        """Tells a repetition from another message under the same event id."""
        content = {name: value for name, value in asdict(self).items() if name not in _NOT_CONTENT}
        return hashlib.sha256(json.dumps(content, sort_keys=True, default=str).encode()).hexdigest()


@dataclass(frozen=True)
class Status:
    """What a platform says later of something that was sent.

    external_id: the platform's name of it. tracker: what we sent along, the id of the outbox row. state: sent,
    delivered or failed. error: one of core.errors' codes (window_closed, unreachable, rate_limited, refused) where it
    failed; retry_after_s where it may be tried again.
    """

    channel: str
    account: str
    event_id: str
    external_id: str
    state: str
    tracker: str | None = None
    error: str | None = None
    retry_after_s: float | None = None


Event = Inbound | Status
"""What a channel's `receive` makes of a webhook: any number of these."""


@dataclass(frozen=True)
class Accepted:
    """What intake made of it; `duplicate` where the event was known already. turn_id: None where no turn came of it."""

    turn_id: str | None
    conversation_id: str
    duplicate: bool = False
