"""Whose limit a 429 is about: Telegram does not say, so that one chat's is told from the bot's by a second one."""

from __future__ import annotations

import time
from collections.abc import Callable

from bot.channels.base import Chat
from core.errors import RateLimited


class Floods:
    """Remembers which private chats were told to wait. Groups have narrow limits of their own and prove nothing."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._until: dict[str, float] = {}

    def judged(self, error: RateLimited, chat: Chat) -> RateLimited:
        """`whole` where another chat still waits: then it is the bot that sends too much."""
        now = self._clock()
        self._until = {each: until for each, until in self._until.items() if until > now}
        if chat.group:
            return RateLimited(error.retry_after_s)
        whole = any(each != chat.id for each in self._until)
        self._until[chat.id] = now + error.retry_after_s
        return RateLimited(error.retry_after_s, whole=whole)
