"""What time it is where a persona works."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

Clock = Callable[[ZoneInfo], datetime]
"""The time now in a zone."""


def now(zone: ZoneInfo) -> datetime:
    """The clock on the wall."""
    return datetime.now(zone)


def zone_of(name: str) -> ZoneInfo:
    """The zone of that IANA name, UTC where there is none."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return ZoneInfo("UTC")
