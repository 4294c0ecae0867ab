"""The last that a process printed, read all the time so that it never waits for us."""

from __future__ import annotations

import os
import re
import select
import threading
import time
from collections.abc import Callable
from typing import IO

_MOST_BYTES = 16 * 1024
_LINES = 12
_LOOK_MS = 500
_NOT_SHOWN = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|[\x00-\x08\x0b-\x1f\x7f]")
"""Colours, cursors and control characters."""


class Tail:
    """A thread reads the pipe until it ends, or until the process has ended and somebody else holds the pipe open."""

    def __init__(self, pipe: IO[bytes], ended: Callable[[], bool], after: Callable[[], object]) -> None:
        """pipe: raw; closed by the thread. ended: whether the process has; asked twice a second while it is silent,
        so that an ended one is noticed (and reaped) though nobody asks it for anything. after: called then, last."""
        self._pipe, self._ended, self._after = pipe, ended, after
        self._last, self._cut = b"", False
        self._thread = threading.Thread(target=self._read, name="tail", daemon=True)
        self._thread.start()

    def wait(self, most_s: float) -> None:
        """Until all has been read, once the process has ended."""
        if self._thread is not threading.current_thread():
            self._thread.join(most_s)

    def clear(self) -> None:
        self._last, self._cut = b"", False

    def lines(self) -> list[str]:
        """The last whole lines that hold anything; a progress bar's states are lines too."""
        text = self._last.decode("utf-8", "replace")
        lines = re.split(r"\r\n|\n|\r", text)
        whole = lines[1:] if self._cut and len(lines) > 1 else lines
        shown = (_NOT_SHOWN.sub("", line).strip() for line in whole)
        return [line for line in shown if line][-_LINES:]

    def _read(self) -> None:
        look = select.poll()
        look.register(self._pipe, select.POLLIN)
        with self._pipe:
            while look.poll(_LOOK_MS) or not self._ended():
                piece = os.read(self._pipe.fileno(), 1 << 16) if look.poll(0) else None
                if piece == b"":
                    break
                self._keep(piece or b"")
        pause_s = 0.001  # its pipes are closed a moment before it has ended
        while not self._ended():
            time.sleep(pause_s)
            pause_s = min(2 * pause_s, _LOOK_MS / 1000)
        self._after()

    def _keep(self, piece: bytes) -> None:
        together = self._last + piece
        self._cut = self._cut or len(together) > _MOST_BYTES
        self._last = together[-_MOST_BYTES:]
