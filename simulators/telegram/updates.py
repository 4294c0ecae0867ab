"""Updates to the bot: numbered, kept until they are taken, by webhook or by getUpdates."""

from __future__ import annotations

import asyncio
import itertools
import json
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final
from urllib.parse import urlsplit

from simulators.clock import Clock
from simulators.delivery import Delivery, Event, Post
from simulators.telegram.config import TelegramConfig
from simulators.telegram.refusals import bad, conflict
from simulators.telegram.schema import NOT_BY_DEFAULT, UPDATE_KINDS

Json = dict[str, Any]

FIRST_ID: Final = 100_000_001
MAX_SECRET: Final = 256
MAX_CONNECTIONS: Final = 40
MAX_POLL_S: Final = 50
LOOK_S: Final = 0.25
WEBHOOK_ACTIVE: Final = (
    "can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first"
)
OTHER_POLLER: Final = "terminated by other getUpdates request; make sure that only one bot instance is running"


@dataclass(frozen=True)
class Webhook:
    url: str
    secret: str
    connections: int


@dataclass(frozen=True)
class Pending:
    update: Json
    lane: str
    duplicates: int
    at: float


class Updates:
    """One bot's updates. They expire after a day (`config.update_s`)."""

    def __init__(self, config: TelegramConfig, clock: Clock) -> None:
        self._config, self._clock = config, clock
        self._ids = itertools.count(FIRST_ID)
        self.delivery = Delivery(self._write, self._taken, pace=config.pace)
        self.webhook: Webhook | None = None
        self.allowed: tuple[str, ...] = ()
        self.pending: dict[int, Pending] = {}
        self.emitted: list[Json] = []
        self._waiter: asyncio.Future[None] | None = None

    def tell(self, kind: str, value: Json, lane: int, duplicates: int = 0) -> str | None:
        """The update's id as text; None where the bot does not want this kind."""
        if not self._wants(kind):
            return None
        number = next(self._ids)
        pending = Pending({"update_id": number, kind: value}, str(lane), duplicates, self._clock.now())
        self.pending[number] = pending
        self.emitted.append(pending.update)
        if self.webhook is not None:
            self._put(pending)
        self._wake()
        return str(number)

    def _wants(self, kind: str) -> bool:
        return kind in self.allowed if self.allowed else kind not in NOT_BY_DEFAULT

    def _put(self, pending: Pending) -> None:
        number = str(pending.update["update_id"])
        self.delivery.put(Event(number, pending, lane=pending.lane, duplicates=pending.duplicates))

    def _write(self, events: Sequence[Event]) -> Post | None:
        pending: Pending = events[0].payload
        if self.webhook is None or self._is_old(pending):
            return None
        headers = {"Content-Type": "application/json"}
        if self.webhook.secret:
            headers["X-Telegram-Bot-Api-Secret-Token"] = self.webhook.secret
        return Post(self.webhook.url, json.dumps(pending.update).encode(), headers)

    def _taken(self, events: Sequence[Event]) -> None:
        self.pending.pop(int(events[0].id), None)

    def _is_old(self, pending: Pending) -> bool:
        return self._clock.now() - pending.at > self._config.update_s

    async def set_webhook(self, values: Json) -> bool:
        """setWebhook; an empty address removes it."""
        if not values["url"]:
            return await self.delete_webhook(values)
        webhook = self._checked(values)
        self._allow(values.get("allowed_updates"))
        await self._switch(webhook, values.get("drop_pending_updates", False))
        self._end_poll("terminated by setWebhook request")
        return True

    async def delete_webhook(self, values: Json) -> bool:
        await self._switch(None, values.get("drop_pending_updates", False))
        return True

    async def _switch(self, webhook: Webhook | None, drop: bool) -> None:
        """What was on its way goes to the new address, in order."""
        if drop:
            self.pending.clear()
        connections = webhook.connections if webhook else MAX_CONNECTIONS
        self.delivery.pace = replace(self.delivery.pace, connections=connections)
        self.webhook = None
        await self.delivery.restart()
        self.webhook = webhook
        for pending in self.pending.values() if webhook else ():
            self._put(pending)

    def _checked(self, values: Json) -> Webhook:
        url, secret = urlsplit(values["url"]), values.get("secret_token", "")
        if url.scheme not in ("http", "https") or not url.hostname:
            raise bad("invalid webhook URL specified")
        if url.scheme == "http" and self._config.https_only:
            raise bad("bad webhook: An HTTPS URL must be provided for webhook")
        if len(secret) > MAX_SECRET:
            raise bad("secret token is too long")
        if not re.fullmatch(r"[A-Za-z0-9_-]*", secret):
            raise bad("secret token contains unallowed characters")
        connections = values.get("max_connections", MAX_CONNECTIONS)
        if not 1 <= connections <= 100:
            raise bad("max_connections must be 1-100")
        return Webhook(values["url"], secret, connections)

    def _allow(self, kinds: list[str] | None) -> None:
        """None leaves the last choice; an empty list means all but a few."""
        if kinds is None:
            return
        unknown = sorted(set(kinds) - set(UPDATE_KINDS))
        if unknown:
            raise bad(f'unknown update type "{unknown[0]}" in allowed_updates')
        self.allowed = tuple(kinds)

    def webhook_info(self) -> Json:
        told: Json = {
            "url": self.webhook.url if self.webhook else "",
            "has_custom_certificate": False,
            "pending_update_count": len(self.pending),
        }
        if self.webhook is None:
            return told
        told |= {"max_connections": self.webhook.connections, "ip_address": "127.0.0.1"}
        if self.allowed:
            told["allowed_updates"] = list(self.allowed)
        failed = [each for each in self.delivery.attempts if each.status is None or not 200 <= each.status < 300]
        if failed:
            why = failed[-1].error or f"Wrong response from the webhook: {failed[-1].status}"
            told |= {"last_error_date": int(failed[-1].at), "last_error_message": why}
        return told

    async def get(self, values: Json) -> list[Json]:
        """getUpdates: what waits from `offset` on; what is before it is confirmed."""
        if self.webhook is not None:
            raise conflict(WEBHOOK_ACTIVE)
        limit, timeout = values.get("limit", 100), values.get("timeout", 0)
        if not 1 <= limit <= 100:
            raise bad("limit must be 1-100")
        self._allow(values.get("allowed_updates"))
        self._end_poll(OTHER_POLLER)
        self._confirm(values.get("offset", 0))
        until = time.monotonic() + min(max(timeout, 0), MAX_POLL_S)
        while True:
            found = [] if self.delivery.habits.pause else self._waiting()[:limit]
            left = until - time.monotonic()
            if found or left <= 0:
                return found
            await self._sleep(min(left, LOOK_S))

    def _waiting(self) -> list[Json]:
        return [each.update for each in self.pending.values() if not self._is_old(each)]

    def _confirm(self, offset: int) -> None:
        """A negative offset keeps only the last so many."""
        numbers = list(self.pending)
        gone = [each for each in numbers if each < offset] if offset >= 0 else numbers[:offset]
        for number in gone:
            del self.pending[number]

    async def _sleep(self, seconds: float) -> None:
        """Until an update comes; raises Refused (409) where somebody else asks meanwhile."""
        self._waiter = waiter = asyncio.get_running_loop().create_future()
        try:
            await asyncio.wait_for(waiter, seconds)
        except TimeoutError:
            pass
        finally:
            if self._waiter is waiter:
                self._waiter = None

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def _end_poll(self, why: str) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_exception(conflict(why))
