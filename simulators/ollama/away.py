"""The server's door: where it listens, and that it can be gone for a while, as a server that was stopped."""

from __future__ import annotations

import asyncio
from typing import Any

import uvicorn
from fastapi import FastAPI

from simulators.ollama.wire import abort
from simulators.serving import bound


class Door:
    """Of the uvicorn server that `app.state.server` holds while the application is served.

    departures: how often it left. Used on that server's event loop."""

    def __init__(self, app: FastAPI) -> None:
        self._app = app
        self._address = ("", 0)
        self._back: asyncio.Task[None] | None = None
        self.departures = 0

    @property
    def open(self) -> bool:
        return any(each.is_serving() for each in self._server.servers)

    def leave(self, seconds: float | None = None) -> None:
        """Connections are cut, new ones are refused; after `seconds` it comes back, or when it is told to."""
        if self._back is not None:
            self._back.cancel()
            self._back = None
        self.departures += 1
        if self.open:
            self._address = self._server.servers[0].sockets[0].getsockname()[:2]
            for each in self._server.servers:
                each.close()
            for connection in list(self._server.server_state.connections):
                abort(getattr(connection, "transport", None), reset=True)
        if seconds is not None:
            self._back = asyncio.create_task(self._return_after(seconds))

    async def come_back(self) -> None:
        """At the same port."""
        if not self.open:
            loop = asyncio.get_running_loop()
            self._server.servers = [await loop.create_server(self._protocol, sock=bound(*self._address))]

    def close(self) -> None:
        """Nobody waits for its return any more."""
        if self._back is not None:
            self._back.cancel()

    async def _return_after(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
        await self.come_back()

    @property
    def _server(self) -> uvicorn.Server:
        server = self._app.state.server
        assert isinstance(server, uvicorn.Server)
        return server

    def _protocol(self) -> asyncio.Protocol:
        server, config = self._server, self._server.config
        made: Any = config.http_protocol_class
        protocol = made(config=config, server_state=server.server_state, app_state=server.lifespan.state)
        assert isinstance(protocol, asyncio.Protocol)
        return protocol
