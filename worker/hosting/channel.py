"""Our end of the socket to a host: frames with a time by which they must have come, and a way to stop waiting."""

from __future__ import annotations

import select
import socket
import time
from collections.abc import Callable, Mapping
from typing import IO, Any, cast

from worker.frames import Header, read_frame, write_frame

_SLICE_S = 0.05
"""How soon a wait notices anything but the socket."""
_AHEAD, _MOST = 1 << 16, 1 << 20
"""Bytes that are read at once where fewer or more are asked for."""


class Silence(Exception):
    """Nothing came, or nothing could be sent, in time."""


class Interrupted(Exception):
    """Nobody wants it any more."""


class Channel:
    """Frames both ways; one thread at a time uses it."""

    def __init__(self, connection: socket.socket, ended: Callable[[], bool]) -> None:
        """ended: whether the host has, asked where nothing comes: what it started may hold the socket open."""
        connection.setblocking(False)
        self._connection, self._ended = connection, ended
        self._file = cast(IO[bytes], self)
        self._held = b""
        self._deadline = 0.0
        self._stopped: Callable[[], bool] = bool

    def send(self, order: Mapping[str, Any], patience_s: float, stopped: Callable[[], bool] = bool) -> None:
        """Raises Silence, Interrupted, FrameError (too large), OSError where the host is gone."""
        self._begin(patience_s, stopped)
        write_frame(self._file, order)

    def receive(self, patience_s: float, stopped: Callable[[], bool] = bool) -> tuple[Header, bytes] | None:
        """The next frame; None where the host closed its end. Raises Silence, Interrupted, FrameError, OSError."""
        self._begin(patience_s, stopped)
        return read_frame(self._file)

    def close(self) -> None:
        self._connection.close()

    def _begin(self, patience_s: float, stopped: Callable[[], bool]) -> None:
        self._deadline, self._stopped = time.monotonic() + patience_s, stopped
        if stopped():
            raise Interrupted

    def read(self, size: int) -> bytes:
        """Some bytes, none at the end: what read_frame asks of a file."""
        held = self._held or self._received(min(max(size, _AHEAD), _MOST))
        self._held = held[size:]
        return held[:size]

    def write(self, data: bytes | memoryview) -> int:
        """All of it: what write_frame asks of a file."""
        left = memoryview(data)
        while left:
            try:
                left = left[self._connection.send(left, socket.MSG_NOSIGNAL) :]
            except BlockingIOError:
                if not self._wait(select.POLLOUT):
                    raise BrokenPipeError("the host has ended") from None
        return len(data)

    def flush(self) -> None:
        """Nothing is held back."""

    def _received(self, most: int) -> bytes:
        while True:
            try:
                return self._connection.recv(most)
            except BlockingIOError:
                if not self._wait(select.POLLIN):
                    return b""

    def _wait(self, event: int) -> bool:
        """Until the socket is ready; False where the host has ended first."""
        look = select.poll()
        look.register(self._connection, event)
        while True:
            if self._stopped():
                raise Interrupted
            left = self._deadline - time.monotonic()
            if left <= 0:
                raise Silence
            if look.poll(min(left, _SLICE_S) * 1000):
                return True
            if self._ended():
                return bool(look.poll(0))
