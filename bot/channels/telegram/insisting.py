"""Doing something with a platform until it is done."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

from bot.channels.telegram.failures import translated
from core.errors import ChannelError, RateLimited
from core.logging import get_logger

log = get_logger("bot.channels.telegram")

T = TypeVar("T")
FIRST_S: Final = 1.0
LONGEST_S: Final = 60.0


class Backoff:
    """Seconds to wait after each failure in a row: from FIRST_S on doubled, spread by a quarter; a platform's own word
    counts more."""

    def __init__(self, longest: float = LONGEST_S) -> None:
        self._longest = longest
        self._next = FIRST_S

    def after(self, error: Exception) -> float:
        if isinstance(error, RateLimited):
            return error.retry_after_s
        seconds = self._next * random.uniform(0.75, 1.25)  # noqa: S311 (spreads load, hides nothing)
        self._next = min(2 * self._next, self._longest)
        return seconds

    def reset(self) -> None:
        self._next = FIRST_S


async def insist(name: str, act: Callable[[], Awaitable[T]]) -> T:
    """Its result, once it succeeds; every failure is logged. Does not end otherwise."""
    backoff = Backoff()
    while True:
        try:
            with translated():
                return await act()
        except ChannelError as error:
            wait = backoff.after(error)
            log.warning("telegram_not_ready", step=name, code=error.code, reason=str(error), again_in_s=round(wait, 1))
        await asyncio.sleep(wait)
