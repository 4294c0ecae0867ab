"""Runs a simulator: in a thread of its own for tests, in the running event loop, or as a process that says when it is
ready."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Literal

import uvicorn
from fastapi import FastAPI

START_S = 20.0


def bound(host: str, port: int) -> socket.socket:
    """A listening socket; port 0 means any free one."""
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listening.bind((host, port))
    listening.listen(512)
    return listening


def url_of(listening: socket.socket) -> str:
    host, port = listening.getsockname()[:2]
    return f"http://{host}:{port}"


@contextmanager
def served(app: FastAPI, port: int = 0) -> Iterator[str]:
    """The base URL; the application runs in a thread on loopback until the block ends."""
    with bound("127.0.0.1", port) as listening:
        server = _server(app)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
        thread.start()
        _wait_until_started(server, thread)
        try:
            yield url_of(listening)
        finally:
            server.should_exit = True
            thread.join(START_S)


def serve(app: FastAPI, port: int, host: str = "127.0.0.1", *, quiet: bool = False) -> None:
    """Serves until SIGTERM or SIGINT; prints `ready http://…` when connections are taken, unless quiet."""
    with bound(host, port) as listening:
        if not quiet:
            print(f"ready {url_of(listening)}", flush=True)
        _server(app).run(sockets=[listening])


def _server(
    app: FastAPI, kind: type[uvicorn.Server] = uvicorn.Server, lifespan: Literal["on", "off"] = "on"
) -> uvicorn.Server:
    config = uvicorn.Config(
        app, log_level="warning", access_log=False, timeout_graceful_shutdown=1, ws="none", lifespan=lifespan
    )
    server = kind(config)
    app.state.server = server
    return server


def _wait_until_started(server: uvicorn.Server, thread: threading.Thread) -> None:
    until = time.monotonic() + START_S
    while not server.started:
        assert thread.is_alive(), "the simulator ended at its start"
        assert time.monotonic() < until, "the simulator did not start"
        time.sleep(0.01)


class _Guest(uvicorn.Server):
    """Leaves signals to the program that it runs in."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class Presence:
    """An application served in the running event loop, which can go away and come back at the same address."""

    def __init__(self, app: FastAPI) -> None:
        self._app = app
        self._port = 0
        self._serving: asyncio.Task[None] | None = None
        self._server: uvicorn.Server | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    async def come(self) -> None:
        """Connections are taken when this returns."""
        listening = bound("127.0.0.1", self._port)
        self._port = int(listening.getsockname()[1])
        self._server = server = _server(self._app, _Guest, lifespan="off")
        self._serving = asyncio.create_task(server.serve(sockets=[listening]))
        async with asyncio.timeout(START_S):
            while not server.started:  # noqa: ASYNC110 - it tells in no other way
                await asyncio.sleep(0.01)

    async def leave(self) -> None:
        """Every connection is cut; new ones are refused when this returns."""
        if self._server is None or self._serving is None:
            return
        for listening in self._server.servers:
            listening.close()
        for connection in list(self._server.server_state.connections):
            connection.transport.abort()
        self._server.should_exit = self._server.force_exit = True
        await self._serving
        self._server = self._serving = None


@asynccontextmanager
async def present(app: FastAPI) -> AsyncIterator[Presence]:
    """The application's own life lasts as long as the block, whether it is reachable or not."""
    presence = Presence(app)
    async with app.router.lifespan_context(app):
        await presence.come()
        try:
            yield presence
        finally:
            await presence.leave()
