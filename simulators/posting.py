"""POSTs webhooks over kept connections: a general HTTP client costs several milliseconds a request, and the load that
a simulator makes must not be its own."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import SplitResult, urlsplit

import h11

IDLE_S: Final = 2.0
"""A connection that lay idle for longer is not used again: servers close theirs after 5 s."""
READ_BYTES: Final = 65_536


class NoAnswer(OSError):
    """The connection ended before the answer did."""


@dataclass
class _Connection:
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    http: h11.Connection = field(default_factory=lambda: h11.Connection(h11.CLIENT))
    idle_since: float = 0.0

    @property
    def is_fresh(self) -> bool:
        return time.monotonic() - self.idle_since < IDLE_S and not self.reader.at_eof()


class Poster:
    """Connections by scheme, host and port; as many as there are posts at once."""

    def __init__(self) -> None:
        self._idle: dict[tuple[str, str], list[_Connection]] = {}

    async def post(self, url: str, body: bytes, headers: dict[str, str], within_s: float) -> int:
        """The answer's status. Raises OSError or TimeoutError where there is none within `within_s`."""
        parts = urlsplit(url)
        key = (parts.scheme, parts.netloc)
        async with asyncio.timeout(within_s):
            connection = self._take(key) or await _connected(parts)
            try:
                status = await _exchanged(connection, parts, body, headers)
            except BaseException:
                connection.writer.close()
                raise
        self._keep(key, connection)
        return status

    async def close(self) -> None:
        idle = [each.writer for connections in self._idle.values() for each in connections]
        self._idle.clear()
        for writer in idle:
            writer.close()
        await asyncio.gather(*(writer.wait_closed() for writer in idle), return_exceptions=True)

    def _take(self, key: tuple[str, str]) -> _Connection | None:
        waiting = self._idle.get(key, [])
        while waiting:
            connection = waiting.pop()
            if connection.is_fresh:
                return connection
            connection.writer.close()
        return None

    def _keep(self, key: tuple[str, str], connection: _Connection) -> None:
        try:
            connection.http.start_next_cycle()
        except h11.LocalProtocolError:
            connection.writer.close()
            return
        connection.idle_since = time.monotonic()
        self._idle.setdefault(key, []).append(connection)


async def _connected(parts: SplitResult) -> _Connection:
    secure = parts.scheme == "https"
    port = parts.port or (443 if secure else 80)
    return _Connection(*await asyncio.open_connection(parts.hostname, port, ssl=secure or None))


async def _exchanged(connection: _Connection, parts: SplitResult, body: bytes, headers: dict[str, str]) -> int:
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    told = {"Host": parts.netloc, "Content-Length": str(len(body)), **headers}
    request = h11.Request(method="POST", target=target, headers=list(told.items()))
    try:
        for event in (request, h11.Data(data=body), h11.EndOfMessage()):
            connection.writer.write(connection.http.send(event) or b"")
        await connection.writer.drain()
        return await _status(connection)
    except h11.ProtocolError as error:
        raise NoAnswer(str(error)) from error


async def _status(connection: _Connection) -> int:
    """Reads the answer to its end, so that the connection can be used again."""
    status = 0
    while True:
        event = connection.http.next_event()
        if event is h11.NEED_DATA:
            connection.http.receive_data(await connection.reader.read(READ_BYTES))
        elif isinstance(event, h11.Response):
            status = event.status_code
        elif isinstance(event, h11.EndOfMessage):
            return status
        elif isinstance(event, h11.ConnectionClosed):
            raise NoAnswer("the connection was closed")
