"""The connections of a client, so that another thread can end what waits on them.

Closing a socket does not wake a thread that reads from it (close(2)); shutting it down does. httpx tells of a
connection as soon as it is made only through the `trace` extension of its requests (httpcore's documentation,
"Extensions").
"""

from __future__ import annotations

import socket
import threading
import weakref
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import httpx

_MADE = ("connection.connect_tcp.complete", "connection.start_tls.complete")


class Sockets:
    """Those of the requests that `watch` saw, as long as anybody holds them."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._open: weakref.WeakSet[socket.socket] = weakref.WeakSet()

    def watch(self, request: httpx.Request) -> None:
        """An event hook for requests."""
        request.extensions["trace"] = self._note

    def _note(self, event: str, told: Mapping[str, Any]) -> None:
        if event in _MADE:
            with self._lock:
                self._open.add(told["return_value"].get_extra_info("socket"))

    def cut(self) -> None:
        """Who reads or writes there fails at once. From any thread."""
        with self._lock:
            sockets = list(self._open)
        for each in sockets:
            with suppress(OSError):  # it was closed, or TLS has taken it over
                each.shutdown(socket.SHUT_RDWR)
