"""Runs a simulator: in a thread of its own for tests, or as a process that says when it is ready."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

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


def _server(app: FastAPI) -> uvicorn.Server:
    config = uvicorn.Config(
        app, log_level="warning", access_log=False, timeout_graceful_shutdown=1, ws="none", lifespan="on"
    )
    server = uvicorn.Server(config)
    app.state.server = server
    return server


def _wait_until_started(server: uvicorn.Server, thread: threading.Thread) -> None:
    until = time.monotonic() + START_S
    while not server.started:
        assert thread.is_alive(), "the simulator ended at its start"
        assert time.monotonic() < until, "the simulator did not start"
        time.sleep(0.01)
