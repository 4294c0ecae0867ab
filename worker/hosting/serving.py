"""The side of the host that holds the engine: makes it, answers calls one after the other, drops those that are
cancelled, and ends with whoever started it.

Run by `boot` in any environment: the standard library, `worker.frames`, `worker.exhaustion`, `core.errors` and
`core.kinds`, and whatever the hosted module imports itself.
"""

from __future__ import annotations

import importlib
import json
import os
import queue
import signal
import socket
import threading
import time
import traceback
from collections.abc import Generator, Mapping
from contextlib import closing, suppress
from io import BufferedWriter
from itertools import islice
from socket import SocketIO
from typing import Any

from worker.exhaustion import is_beyond_repair, is_out_of_memory
from worker.frames import FrameError, Header, read_frame, write_frame
from worker.hosting.served import Dropped, Refused

Pieces = Generator["tuple[dict[str, Any], Any]", None, None]

_MOST_TEXT = 4000
"""Of an exception's text, in characters."""
_AT_ONCE = 1 << 18
"""Bytes that are handed to the system together, so that the other side wakes once for a sentence."""
_END_S = 1.0
"""What is left of the process so long after its other side has gone is killed."""


class Wire:
    """The socket. Frames go out from any thread; orders are read by a thread of their own, so that a cancel is seen
    while the engine works and an end of the other side ends this process."""

    def __init__(self, number: int) -> None:
        """number: the socket's file descriptor."""
        connection = socket.socket(fileno=number)
        connection.setblocking(True)
        self._source = connection.makefile("rb")
        self._sink = BufferedWriter(SocketIO(connection, "w"), _AT_ONCE)
        self._sending = threading.Lock()
        self._orders: queue.SimpleQueue[Header | None] = queue.SimpleQueue()
        self._dropped = -1
        self._busy = False
        threading.Thread(target=self._read, name="orders", daemon=True).start()

    def next(self) -> Header | None:
        """Waits for the next order; None: there will be no more."""
        self._busy = False
        order = self._orders.get()
        self._busy = order is not None
        return order

    def send(self, header: Mapping[str, Any], payload: bytes | memoryview = b"") -> None:
        with self._sending:
            write_frame(self._sink, header, payload)

    def dropped(self, call: int) -> bool:
        """Whether this call was cancelled."""
        return self._dropped >= call

    def _read(self) -> None:
        with suppress(OSError, FrameError):
            while (frame := read_frame(self._source)) is not None and frame[0]["do"] != "end":
                if frame[0]["do"] == "cancel":
                    self._dropped = frame[0]["call"]
                else:
                    self._orders.put(frame[0])
        if not self._busy:
            self._orders.put(None)
            time.sleep(_END_S)
        end_all()


def end_all() -> None:
    """This process and all that it started, at once."""
    if os.getpgrp() == os.getpid():
        os.killpg(0, signal.SIGKILL)
    os._exit(1)


class Service:
    """One engine and the calls to it."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._engine: Any = None
        self._call = 0

    def make(self, served: str, arguments: Mapping[str, Any]) -> bool:
        """Whether it could be made."""
        try:
            module, _, name = served.partition(":")
            self._engine = getattr(importlib.import_module(module), name)(self._progress, **arguments)
            end: dict[str, Any] = {"kind": "ready"}
        except Exception as error:
            traceback.print_exc()
            end = self._failed(error)
        self._wire.send({**end, "memory": self._memory()})
        return self._engine is not None

    def answer(self, call: int, method: str, arguments: Mapping[str, Any], *, only: bool) -> bool:
        """Whether the next call can be answered too. only: one piece is wanted, and goes out with the call's end: who
        waits for it wakes once."""
        self._call = call
        payload: bytes | memoryview = b""
        end: dict[str, Any] = {"kind": "end", "call": call, "lost": False}
        try:
            with closing(self._pieces(method, arguments)) as pieces:
                if only:
                    header, payload = _single(pieces, method)
                    end |= {"kind": "piece", "header": header, "last": True}
                else:
                    self._stream(pieces)
        except Dropped:
            """Its end is told below, like any other."""
        except Exception as error:
            end = self._failed(error)
        if end.get("exhausted"):  # after the error, whose traceback holds on to what was being made
            self._tidy()
        self._wire.send({**end, "memory": self._memory()}, payload)
        return not end["lost"]

    def _pieces(self, method: str, arguments: Mapping[str, Any]) -> Pieces:
        if method.startswith("_") or not callable(found := getattr(self._engine, method, None)):
            raise Refused(f"there is nothing called {method!r} in {type(self._engine).__name__}")
        pieces: Pieces = found(**arguments)
        return pieces

    def _stream(self, pieces: Pieces) -> None:
        for header, payload in pieces:
            if self._wire.dropped(self._call):
                return
            self._wire.send({"kind": "piece", "call": self._call, "header": header}, _raw(payload))

    def _progress(self, what: str) -> None:
        if self._wire.dropped(self._call):
            raise Dropped
        self._wire.send({"kind": "progress", "call": self._call, "what": what})

    def _failed(self, error: Exception) -> dict[str, Any]:
        return {
            "kind": "failed",
            "call": self._call,
            "type": type(error).__name__,
            "text": _text(error),
            "exhausted": is_out_of_memory(error),
            "refused": isinstance(error, Refused),
            "lost": is_beyond_repair(error),
        }

    def _tidy(self) -> None:
        if tidy := getattr(self._engine, "tidy", None):
            with suppress(Exception):
                tidy()

    def _memory(self) -> dict[str, int]:
        """What it says of itself; a card that is out of order may refuse to tell."""
        with suppress(Exception):
            return {str(name): int(value) for name, value in self._engine.memory().items()}
        return {}


def _single(pieces: Pieces, method: str) -> tuple[dict[str, Any], bytes | memoryview]:
    """Its header, and its payload. Raises TypeError where it can't be sent, ValueError where it is not the only one."""
    found = list(islice(pieces, 2))
    if len(found) != 1:
        raise ValueError(f"{method} gave {'nothing' if not found else 'more than one piece'}")
    header, payload = found[0]
    json.dumps(header)
    return header, _raw(payload)


def _raw(payload: Any) -> bytes | memoryview:
    """What the frame holds, of anything with a buffer; TypeError for what has none, before a byte is sent."""
    view = memoryview(payload)
    return view.cast("B") if view.nbytes else b""


def _text(error: Exception) -> str:
    try:
        return str(error)[:_MOST_TEXT]
    except Exception as worse:
        return f"its text can't be told: {type(worse).__name__}"


def serve(number: int) -> None:
    """Until there are no more orders, or the engine is of no more use. number: the socket's file descriptor."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    wire = Wire(number)
    service, order = Service(wire), wire.next()
    if order is None or not service.make(order["served"], order["arguments"]):
        return
    while (order := wire.next()) is not None:
        if not service.answer(order["call"], order["method"], order["arguments"], only=order["only"]):
            return
