"""Which channels there are; each is imported when it is first used."""

from __future__ import annotations

import importlib

from bot.channels.base import Channel, Limits
from core.errors import ConfigurationError
from core.queue import Queue

CHANNELS = ("web",)


def limits_of(name: str) -> Limits:
    """Raises ConfigurationError for a channel that is not there."""
    limits: Limits = importlib.import_module(f"bot.channels.{_known(name)}.limits").LIMITS
    return limits


def open_channel(name: str, queue: Queue) -> Channel:
    """Raises ConfigurationError for a channel that is not there."""
    channel: Channel = importlib.import_module(f"bot.channels.{_known(name)}.send").Sender(queue)
    return channel


def _known(name: str) -> str:
    if name not in CHANNELS:
        raise ConfigurationError(f"there is no channel {name}")
    return name
