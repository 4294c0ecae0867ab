"""What a channel is to the workers: its limits, and how to send."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol


@dataclass(frozen=True)
class Limits:
    """What a channel takes. Sizes in pixels and bytes, lengths in seconds.

    transactional: sending is nothing but a change in our own database; the settled row *is* the delivery.
    """

    video_width: int = 512
    video_height: int = 512
    fps: int = 25
    max_video_bytes: int = 16 * 1024 * 1024
    max_video_seconds: float = 300.0
    voice_container: str = "ogg"
    transactional: bool = False


@dataclass(frozen=True)
class Outgoing:
    """A row of the outbox on its way. kind: text, voice, video, menu or notice."""

    id: int
    conversation_id: str
    turn_id: str | None
    kind: str
    payload: Mapping[str, Any]


@dataclass(frozen=True)
class Sent:
    """The platform took it; external_id is the platform's name for it."""

    external_id: str | None = None


class Channel(Protocol):
    """One platform, as the courier uses it."""

    name: str
    limits: Limits

    async def send(self, row: Outgoing) -> Sent:
        """Raises a SmartTalkerError whose `permanent` says whether trying again makes sense."""
        ...
