"""Telegram's rates: buckets that fill with time. They go by the real clock; skipping it does not fill them."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field

from simulators.telegram.config import Rates
from simulators.telegram.refusals import too_many


@dataclass
class Bucket:
    """Holds at most `size`, gains `per_s`; an empty one says how long to wait."""

    size: float
    per_s: float
    level: float = field(init=False)
    at: float = field(default_factory=time.monotonic)

    def __post_init__(self) -> None:
        self.level = self.size

    def wait(self, cost: float, now: float) -> float:
        """Seconds until `cost` could be taken; 0 means now. A cost over the size is let through when full."""
        if math.isinf(self.per_s):
            return 0.0
        self.level = min(self.size, self.level + max(0.0, now - self.at) * self.per_s)
        self.at = max(self.at, now)
        return max(0.0, (min(cost, self.size) - self.level) / self.per_s)


class Limiter:
    """The limits of one bot."""

    def __init__(self, rates: Rates) -> None:
        self._rates = rates
        self._all = Bucket(max(1.0, rates.total_per_s), rates.total_per_s)
        self._chats: dict[int, Bucket] = {}
        self._groups: dict[int, Bucket] = {}

    def send(self, chat: int, messages: int = 1) -> None:
        """Takes the room for messages to a chat (a negative id is a group's); Refused (429) where there is none."""
        now = time.monotonic()
        buckets = self._buckets(chat)
        waits = [bucket.wait(messages, now) for bucket in buckets]
        if max(waits) > 0:
            raise too_many(max(waits))
        for bucket in buckets:
            bucket.level -= messages

    def _buckets(self, chat: int) -> list[Bucket]:
        rates = self._rates
        in_chat = self._chats.setdefault(chat, Bucket(rates.chat_burst, rates.chat_per_s))
        if chat > 0:
            return [self._all, in_chat]
        return [
            self._all,
            in_chat,
            self._groups.setdefault(chat, Bucket(rates.group_per_min, rates.group_per_min / 60)),
        ]
