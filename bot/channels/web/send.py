"""To the page: the row in the outbox is the delivery, the page is only told to look."""

from __future__ import annotations

from bot.channels.base import Outgoing, Sent
from bot.channels.web.limits import LIMITS
from core.queue import Queue


class Sender:
    """Tells every page that shows the conversation."""

    name = "web"
    limits = LIMITS

    def __init__(self, queue: Queue) -> None:
        self._queue = queue

    async def send(self, row: Outgoing) -> Sent:
        """Raises QueueUnavailable; the page then finds the row when it asks."""
        await self._queue.tell(row.conversation_id, row.turn_id)
        return Sent()
