"""Which channels there are; each is imported when it is first used."""

from __future__ import annotations

import importlib
from typing import Any

from bot.channels.base import Channel, Limits, Receiver, Surroundings
from core.errors import ConfigurationError

CHANNELS = ("web", "telegram", "whatsapp")


def limits_of(name: str) -> Limits:
    """Raises ConfigurationError for a channel that is not there."""
    limits: Limits = _module(name, "limits").LIMITS
    return limits


def open_channel(name: str, surroundings: Surroundings) -> Channel:
    """Raises ConfigurationError for a channel that is not there, or whose credentials are not."""
    channel: Channel = _configured(name, surroundings, "send").Sender(surroundings)
    return channel


def open_receiver(name: str, surroundings: Surroundings) -> Receiver:
    """Raises ConfigurationError for a channel that is not there, or whose credentials are not."""
    receiver: Receiver = _configured(name, surroundings, "receive").Receiver(surroundings)
    return receiver


def _configured(name: str, surroundings: Surroundings, part: str) -> Any:
    if name != "web" and name not in surroundings.settings.channels:
        raise ConfigurationError(f"the channel {name} has no credentials: set SMARTTALKER_{name.upper()}_…")
    return _module(name, part)


def _module(name: str, part: str) -> Any:
    if name not in CHANNELS:
        raise ConfigurationError(f"there is no channel {name}")
    return importlib.import_module(f"bot.channels.{name}.{part}")
