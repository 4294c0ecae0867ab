"""Updates fetched instead of called for: where no webhook is set."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from telegram.error import Conflict

from bot.channels.base import Take
from bot.channels.telegram.client import Client
from bot.channels.telegram.failures import translated
from bot.channels.telegram.fields import integer
from bot.channels.telegram.insisting import Backoff
from bot.channels.telegram.parse import UPDATES, Parser
from bot.channels.telegram.registration import Registration
from core.errors import ChannelError, SurroundingsError
from core.logging import get_logger
from core.messages import Event

log = get_logger("bot.channels.telegram")


class Poller:
    """Telegram forgets an update when one after it is asked for: not before it is stored with us."""

    def __init__(self, client: Client, registration: Registration, parser: Parser, take: Take) -> None:
        self._client = client
        self._registration = registration
        self._parser = parser
        self._take = take
        self._offset: int | None = None

    async def run(self) -> None:
        """Until it is cancelled."""
        await self._registration.delete_webhook()
        backoff = Backoff(longest=30.0)
        while True:
            try:
                await self._once()
                backoff.reset()
                continue
            except (ChannelError, SurroundingsError) as error:
                wait = backoff.after(error)
                log.warning("telegram_polling_waits", code=error.code, reason=str(error), again_in_s=round(wait, 1))
                conflict = isinstance(error.__cause__, Conflict)
            await asyncio.sleep(wait)
            if conflict:
                # Either somebody else polls too, and both take turns, or has set a webhook, which must go.
                await self._registration.delete_webhook()

    async def _once(self) -> None:
        with translated():
            updates = await self._client.updates(self._offset, UPDATES)
        events = [event for update in updates for event in self._parser.events(update)]
        if events:
            await self._store(events)
        known = [found for update in updates if (found := _id(update)) is not None]
        if known:
            self._offset = max(known) + 1

    async def _store(self, events: list[Event]) -> None:
        """Raises SurroundingsError, and then none of them is counted as taken. One that can't be stored for a reason
        of its own must not stop the others."""
        try:
            return await self._take(events)
        except SurroundingsError:
            raise
        except Exception:
            log.exception("telegram_batch_failed", events=len(events))
        for event in events:
            try:
                await self._take([event])
            except SurroundingsError:
                raise
            except Exception:
                log.exception("telegram_event_lost", event_id=event.event_id)


def _id(update: Any) -> int | None:
    return integer(update.get("update_id")) if isinstance(update, Mapping) else None
