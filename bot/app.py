"""The web process: REST, WebSocket, the chat page, health and metrics."""

from __future__ import annotations

import errno
import gc
import os
import signal
import socket
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from types import FrameType

import uvicorn
from fastapi import FastAPI
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import FileResponse, Response
from starlette.staticfiles import StaticFiles

from bot.api import catalogue, health, idling, media, messages, portraits, turns
from bot.api import socket as web_socket
from bot.api.crowd import Crowd
from bot.api.errors import add_handlers
from bot.api.guards import Gate
from bot.api.tracing import Tracing
from bot.services import opened
from core.errors import ConfigurationError, PortTaken
from core.logging import configure_logging, get_logger
from core.metrics import Metrics
from core.settings import Settings
from core.storage import storage_errors

log = get_logger("bot")

PAGE = Path(__file__).with_name("page")
GRACE_S = 20
"""Requests under way are answered first, uploads among them; the supervisor kills what is left after 30 s."""
SECURITY = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; media-src 'self' blob:; "
        "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "Permissions-Policy": "microphone=(self), camera=(), geolocation=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-cache",
}
_HEADERS = ["X-API-Key", "Authorization", "Content-Type", "Idempotency-Key", "X-Request-ID"]


def create_app(settings: Settings) -> FastAPI:
    """The application; it opens its connections when it starts, and starts without them. Raises StorageError."""
    with storage_errors():
        media_key = settings.media_key
    metrics = Metrics(settings.data_dir / "metrics")

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with opened(settings, metrics, media_key) as services:
            app.state.services = services
            for receiver in services.receivers:
                app.include_router(receiver.routes(services.reception.take), include_in_schema=False)
            # What was imported is never looked through again: a full collection of it would stop intake for 100 ms.
            gc.collect()
            gc.freeze()
            yield

    app = FastAPI(title="SmartTalker", version="1", lifespan=lifespan, docs_url=None, redoc_url=None)
    for module in (messages, turns, catalogue, portraits, idling, media, health, web_socket):
        app.include_router(module.router)
    _add_page(app)
    add_handlers(app)
    # The last one added is the outermost.
    app.add_middleware(Crowd, settings=settings)
    app.add_middleware(Gate, settings=settings)
    origins = [origin.strip().rstrip("/") for origin in settings.cors_origins.split(",") if origin.strip()]
    if origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=origins,
            allow_methods=["GET", "POST", "DELETE"],
            allow_headers=_HEADERS,
            expose_headers=["X-Request-ID", "Retry-After"],
        )
    app.add_middleware(Tracing, metrics=metrics)
    return app


def _add_page(app: FastAPI) -> None:
    class Page(StaticFiles):
        def file_response(self, *args: object, **kwargs: object) -> Response:
            response = super().file_response(*args, **kwargs)  # type: ignore[arg-type]
            response.headers.update(SECURITY)
            return response

    def shown(path: str, file: str) -> None:
        async def show() -> FileResponse:
            return FileResponse(PAGE / file, media_type="text/html; charset=utf-8", headers=SECURITY)

        app.add_api_route(path, show, include_in_schema=False)

    shown("/", "index.html")
    shown("/docs", "docs.html")
    app.mount("/page", Page(directory=PAGE), name="page")


class Server(uvicorn.Server):
    """Ends by returning: the caller stops what else it started, and decides on the exit status."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        in_main = threading.current_thread() is threading.main_thread()
        handled = (signal.SIGTERM, signal.SIGINT) if in_main else ()
        before = {number: signal.signal(number, self._stop) for number in handled}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _stop(self, _number: int, _frame: FrameType | None) -> None:
        self.force_exit = self.should_exit
        self.should_exit = True


def bound_socket(settings: Settings) -> socket.socket:
    """Raises PortTaken, ConfigurationError."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    bound = socket.socket(family, socket.SOCK_STREAM)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind((settings.host, settings.port))
    except OSError as error:
        bound.close()
        if error.errno == errno.EADDRINUSE:
            raise PortTaken(
                f"port {settings.port} of {settings.host} is taken: "
                "stop the other program, or choose another port with SMARTTALKER_PORT"
            ) from None
        raise ConfigurationError(
            f"can't listen on {settings.host}:{settings.port} ({os.strerror(error.errno or 0)}): "
            "check SMARTTALKER_HOST and SMARTTALKER_PORT"
        ) from None
    return bound


def server(settings: Settings) -> Server:
    """Behind a proxy on this machine the client's own address counts (X-Forwarded-For)."""
    config = uvicorn.Config(
        create_app(settings),
        loop="uvloop",
        http="httptools",
        ws="websockets-sansio",
        ws_max_size=4096,
        ws_per_message_deflate=False,
        access_log=False,
        log_config=None,
        server_header=False,
        timeout_graceful_shutdown=GRACE_S,
    )
    return Server(config)


def main(settings: Settings) -> None:
    """Runs the web process until SIGTERM or Ctrl-C. Raises PortTaken, ConfigurationError, StorageError."""
    configure_logging("bot", settings)
    with bound_socket(settings) as bound:
        host, port = bound.getsockname()[:2]
        log.info("listening", url=f"http://{host}:{port}")
        server(settings).run(sockets=[bound])
