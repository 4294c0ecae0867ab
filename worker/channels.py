"""The channels of a process, each opened once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from bot.channels.base import Channel, Surroundings
from bot.channels.registry import open_channel
from core.errors import ConfigurationError
from core.logging import get_logger

log = get_logger(__name__)

CLOSE_S = 5.0

Open = Callable[[str, Surroundings], Channel]


class Channels:
    """Called with a name it gives the channel; opened when first asked for, closed together at the end."""

    def __init__(self, surroundings: Surroundings, open: Open = open_channel) -> None:
        self._surroundings = surroundings
        self._open = open
        self._opened: dict[str, Channel] = {}
        self._missing: dict[str, ConfigurationError] = {}

    def __call__(self, name: str) -> Channel:
        """Raises ConfigurationError for a channel without credentials, which the log says once."""
        if name in self._missing:
            raise self._missing[name]
        if name not in self._opened:
            try:
                self._opened[name] = self._open(name, self._surroundings)
            except ConfigurationError as error:
                log.error("channel_missing", channel=name, reason=str(error), kept="its rows wait in the outbox")
                self._missing[name] = error
                raise
        return self._opened[name]

    async def close(self) -> None:
        """Outlives a channel that can't."""
        for name, channel in self._opened.items():
            try:
                async with asyncio.timeout(CLOSE_S):
                    await channel.close()
            except Exception as error:
                log.warning("channel_not_closed", channel=name, error=type(error).__name__)
        self._opened.clear()
