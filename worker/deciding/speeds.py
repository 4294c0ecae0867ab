"""What was measured of this machine: how fast engines work and how long answers are, kept over restarts."""

from __future__ import annotations

import json
import math
import os
import socket
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from core.logging import get_logger

log = get_logger(__name__)

FILE = "speeds.json"
HALF_S = 15.0
"""A clip of so many seconds weighs as much as all that was measured before it; a short one says little."""
LEAST_S = 1.0
"""Of video; shorter clips say nothing."""
GIVEN_UP_S = 3600.0
"""So long an engine that was given up as too slow counts as that slow, and then as it was before: another program may
have held the card."""
MOST = 100
"""Figures kept, the newest."""
_BYTES = 1 << 20
_RANGE = 1e5


@dataclass(frozen=True)
class Figure:
    """value: smoothed; None: nothing was finished yet. slow: what an attempt would have come to that was given up,
    until the time `until`. at, until: seconds since 1970."""

    value: float | None = None
    at: float = 0.0
    slow: float | None = None
    until: float = 0.0

    def seen(self, now: float) -> float | None:
        """What to reckon with."""
        if self.slow is not None and now < self.until <= now + GIVEN_UP_S:
            return max(self.slow, self.value or 0.0)
        return self.value

    def joined(self, value: float, weight: float, now: float) -> Figure:
        """With a new value, which weighs 0 … 1."""
        old = value if self.value is None else self.value
        return Figure(old + weight * (value - old), now)


class Speeds:
    """By key; what several processes measure is one. Seconds of work a second of video, or other seconds.

    The file is read at each question and written whole at each answer, so the newest value of a key stands. One that
    can't be read, or is not ours, is as none; what can't be written is remembered by this process alone.
    """

    def __init__(self, path: Path | None = None, clock: Callable[[], float] = time.time) -> None:
        """path: of the file; None: nothing is kept beyond this process."""
        self._path = path
        self._clock = clock
        self._own: dict[str, Figure] = {}

    def of(self, key: str) -> float | None:
        """None where nothing is known."""
        figure = self._figures().get(key)
        return None if figure is None else figure.seen(self._clock())

    def add(self, key: str, value: float, seconds: float) -> None:
        """value: measured over a clip of so many seconds."""
        if seconds < LEAST_S or not _fine(value):
            return
        figures = self._figures()
        before = figures.get(key, Figure())
        self._keep(figures, key, before.joined(value, seconds / (seconds + HALF_S), self._clock()))

    def add_slow(self, key: str, value: float) -> None:
        """Of what was given up: `value` is where it was heading."""
        if not _fine(value):
            return
        figures, now = self._figures(), self._clock()
        before = figures.get(key, Figure())
        self._keep(figures, key, replace(before, at=now, slow=value, until=now + GIVEN_UP_S))

    def _figures(self) -> dict[str, Figure]:
        """The file's, and this process's own where they are newer."""
        figures = self._read()
        for key, own in self._own.items():
            if key not in figures or figures[key].at < own.at:
                figures[key] = own
        return figures

    def _keep(self, figures: dict[str, Figure], key: str, figure: Figure) -> None:
        self._own[key] = figure
        newest = sorted({**figures, key: figure}.items(), key=lambda each: each[1].at)[-MOST:]
        if self._path is None:
            return
        part = self._path.with_name(f".{self._path.name}.{socket.gethostname()}.{os.getpid()}")
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            part.write_text(json.dumps({key: _told(each) for key, each in newest}, indent=1), encoding="utf-8")
            part.replace(self._path)
        except OSError as error:
            log.warning("speeds_not_kept", reason=error.strerror)
            with suppress(OSError):
                part.unlink()

    def _read(self) -> dict[str, Figure]:
        """Of the file whatever is as it should be."""
        try:
            if self._path is None or self._path.stat().st_size > _BYTES:
                return {}
            told = json.loads(self._path.read_text(encoding="utf-8"))
        except (OSError, ValueError, RecursionError):
            return {}
        entries = told.items() if isinstance(told, dict) else ()
        read = ((key, _figure(each)) for key, each in entries)
        return {key: figure for key, figure in read if figure is not None}


def _told(figure: Figure) -> dict[str, float]:
    known = {"value": figure.value, "at": figure.at, "slow": figure.slow, "until": figure.until or None}
    return {name: value for name, value in known.items() if value is not None}


def _figure(told: Any) -> Figure | None:
    """None for what is no figure."""
    if not isinstance(told, Mapping):
        return None
    known = {name: told.get(name) for name in ("value", "at", "slow", "until")}
    if not all(value is None or _fine(value, most=math.inf) for value in known.values()):
        return None
    value, slow = known["value"], known["slow"]
    seconds = [each for each in (value, slow) if each is not None]
    if not seconds or not all(map(_fine, seconds)):
        return None
    return Figure(value, known["at"] or 0.0, slow, known["until"] or 0.0)


def _fine(value: Any, most: float = _RANGE) -> bool:
    """Whether it is a number of seconds that something can take."""
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return number and math.isfinite(value) and 0 <= value <= most
