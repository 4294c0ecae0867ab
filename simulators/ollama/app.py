"""The HTTP face: Ollama's own paths, and the control API."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse, PlainTextResponse
from starlette.requests import ClientDisconnect

from simulators.control import answer_errors
from simulators.ollama import inference, library
from simulators.ollama.away import Door
from simulators.ollama.config import Config
from simulators.ollama.control import control_router
from simulators.ollama.exchange import Act, Exchange, json_of
from simulators.ollama.simulator import OllamaSimulator

PATHS: Final[dict[str, tuple[tuple[str, ...], Act]]] = {
    "version": (("GET", "HEAD"), library.version),
    "tags": (("GET", "HEAD"), library.tags),
    "ps": (("GET",), library.ps),
    "show": (("POST",), library.show),
    "pull": (("POST",), library.pull),
    "delete": (("DELETE",), library.delete),
    "chat": (("POST",), inference.chat),
    "generate": (("POST",), inference.generate),
}
NOT_OFFERED: Final = frozenset({"embed", "embeddings", "create", "copy", "push", "blobs", "me", "signout", "status"})
"""The real one has these; the simulator says so plainly."""
VERBS: Final = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]


def create_app(config: Config | None = None) -> FastAPI:
    """`app.state.simulator` is the `OllamaSimulator` behind it; `app.state.door` lets it leave and come back."""
    simulator = OllamaSimulator(config or Config())

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        app.state.loop = asyncio.get_running_loop()
        yield
        app.state.door.close()

    app = FastAPI(title="Ollama, simulated", lifespan=lifespan, openapi_url=None)
    app.state.simulator, app.state.door = simulator, Door(app)
    answer_errors(app)
    app.include_router(control_router(simulator, app.state.door))
    _add_paths(app, simulator)
    return app


def _add_paths(app: FastAPI, simulator: OllamaSimulator) -> None:
    @app.api_route("/", methods=["GET", "HEAD"])
    async def alive() -> Response:
        return PlainTextResponse("Ollama is running")

    @app.api_route("/api/{method:path}", methods=VERBS)
    async def method(method: str, request: Request) -> Response:
        known = PATHS.get(method)
        if known is None:
            return _unknown(method)
        verbs, act = known
        if request.method not in verbs:
            return PlainTextResponse("405 method not allowed", 405)
        try:
            body = await request.body()
        except ClientDisconnect:
            return Response()
        remembered = simulator.asked(
            method=method, verb=request.method, path=request.url.path, headers=dict(request.headers), body=body,
            json=json_of(body),
        )  # fmt: skip
        return Exchange(simulator, remembered, act, app.state.door)

    @app.api_route("/{path:path}", methods=VERBS)
    async def nothing(path: str) -> Response:
        return PlainTextResponse("404 page not found", 404)


def _unknown(method: str) -> Response:
    if method.partition("/")[0] in NOT_OFFERED:
        return JSONResponse({"error": f"the simulator does not offer /api/{method}"}, 501)
    return PlainTextResponse("404 page not found", 404)
