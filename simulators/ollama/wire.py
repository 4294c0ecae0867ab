"""The connection of one request: what is sent on it, and its rougher ends."""

from __future__ import annotations

import asyncio
import json
import socket
import struct
from datetime import UTC, datetime
from typing import Any, Final

from starlette.types import Message, Receive, Send

from simulators.ollama.requests import Request

JSON_TYPE: Final = "application/json; charset=utf-8"
LINES_TYPE: Final = "application/x-ndjson"
REACHES_S: Final = 0.02
"""How long what was sent may take to reach the client before its connection is reset."""


class Over(Exception):
    """Nothing more is to be sent."""


def dumped(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode(errors="replace")


def stamp(at: float | None = None) -> str:
    """RFC 3339 in UTC, as Go writes it."""
    moment = datetime.now(UTC) if at is None else datetime.fromtimestamp(at, UTC)
    return moment.isoformat().replace("+00:00", "Z")


class Wire:
    """Sends one answer. mute: nothing leaves (for faults that let a request be done and give no answer)."""

    def __init__(self, request: Request, receive: Receive, send: Send) -> None:
        self._request, self._receive, self._send = request, receive, send
        self.mute = False
        self.begun = False

    async def json(self, status: int, value: Any) -> None:
        await self.whole(status, JSON_TYPE, dumped(value))

    async def whole(self, status: int, type_: str, body: bytes) -> None:
        await self._start(status, type_, len(body))
        await self._put({"type": "http.response.body", "body": body})

    async def line(self, value: Any) -> None:
        """One of a stream; the first begins it."""
        await self.raw(dumped(value) + b"\n")

    async def raw(self, body: bytes) -> None:
        if not self.begun:
            await self._start(200, LINES_TYPE)
        await self._put({"type": "http.response.body", "body": body, "more_body": True})

    async def end(self) -> None:
        if not self.begun:
            await self._start(200, LINES_TYPE)
        await self._put({"type": "http.response.body", "body": b""})

    async def gone(self) -> None:
        """Returns when the client has closed the connection."""
        message: Message = {}
        while message.get("type") != "http.disconnect":
            message = await self._receive()

    async def reset(self) -> None:
        """The connection is cut as by a process that dies."""
        await asyncio.sleep(REACHES_S)
        abort(self.transport, reset=True)
        raise Over

    async def drop(self) -> None:
        """The connection is closed, though the body has not ended."""
        await asyncio.sleep(REACHES_S)
        abort(self.transport, reset=False)
        raise Over

    @property
    def transport(self) -> Any:
        """uvicorn hands its request object's own method to the application; the connection hangs on that object."""
        return getattr(getattr(self._receive, "__self__", None), "transport", None)

    async def _start(self, status: int, type_: str, length: int | None = None) -> None:
        headers = [(b"content-type", type_.encode())]
        if length is not None:
            headers.append((b"content-length", str(length).encode()))
        self.begun = True
        if not self.mute:
            self._request.status = status
        await self._put({"type": "http.response.start", "status": status, "headers": headers})

    async def _put(self, message: Message) -> None:
        if not self.mute:
            await self._send(message)


def abort(transport: Any, *, reset: bool) -> None:
    """Closes a connection at once; with reset the client gets ECONNRESET."""
    if transport is None or transport.is_closing():
        return
    if reset:
        with socket.socket(fileno=socket.dup(transport.get_extra_info("socket").fileno())) as same:
            same.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()
