"""To the page: the row in the outbox is the delivery, the page is only told to look."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bot.channels.base import Chat, Outgoing, Sent, Surroundings
from bot.channels.web.limits import LIMITS
from core.errors import MediaGone


class Sender:
    """Tells every page that shows the conversation."""

    name = "web"
    limits = LIMITS

    def __init__(self, surroundings: Surroundings) -> None:
        self._queue = surroundings.queue

    async def send(self, row: Outgoing) -> Sent:
        """Raises QueueUnavailable; the page then finds the row when it asks."""
        await self._queue.tell(row.conversation_id, row.turn_id)
        return Sent()

    async def fetch(self, remote: Mapping[str, Any], target: Path) -> None:
        """Recordings come with their message, so that there is never one to fetch. Raises MediaGone."""
        raise MediaGone

    async def progress(self, chat: Chat, *, uploading: bool, message_id: str | None) -> None:
        """The page shows the turn itself."""

    async def close(self) -> None: ...
