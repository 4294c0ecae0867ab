"""What every channel makes of what it received."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from typing import Any

MAX_TEXT = 2_000
"""Characters of one message."""
MAX_AUDIO_BYTES = 16 * 1024 * 1024
MAX_AUDIO_SECONDS = 300


@dataclass(frozen=True)
class Inbound:
    """One message in. Either `text`, or `media` (a decoded voice note below DATA_DIR's media folder), or `remote`
    (media that the courier still has to fetch).

    event_id: the platform's id of the event, unique for channel and account. conversation_id: only the web knows it;
    the others are found by chat_id. language, avatar, voice, modes: choices that came with the message.
    """

    channel: str
    account: str
    event_id: str
    sender_id: str
    chat_id: str
    text: str | None = None
    media: str | None = None
    remote: dict[str, Any] | None = None
    conversation_id: str | None = None
    display_name: str | None = None
    language: str | None = None
    avatar: str | None = None
    voice: str | None = None
    modes: tuple[str, ...] | None = None
    media_digest: str = ""

    @property
    def digest(self) -> str:
        """Tells a repetition from another message under the same event id; the media's name on disk is left out."""
        content = asdict(self)
        for name in ("media", "sender_id", "chat_id", "display_name"):
            content.pop(name)
        return hashlib.sha256(json.dumps(content, sort_keys=True, default=str).encode()).hexdigest()


@dataclass(frozen=True)
class Accepted:
    """What intake made of it; `duplicate` where the event was known already."""

    turn_id: str
    conversation_id: str
    duplicate: bool = False
