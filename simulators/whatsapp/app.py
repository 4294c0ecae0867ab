"""The simulator as an application: the control API, and Graph's own paths."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from simulators.control import answer_errors, control_router
from simulators.whatsapp.config import Config
from simulators.whatsapp.door import Door
from simulators.whatsapp.files import files_router
from simulators.whatsapp.messages import messages_router
from simulators.whatsapp.nodes import nodes_router
from simulators.whatsapp.platform import WhatsApp


def create_app(config: Config | None = None) -> FastAPI:
    """`app.state.platform` is the `WhatsApp` behind it; webhooks go out while the application runs."""
    platform = WhatsApp(config or Config())

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        await platform.delivery.start()
        yield
        await platform.delivery.stop()

    app = FastAPI(title="WhatsApp Cloud API, simulated", lifespan=lifespan, openapi_url=None)
    app.state.platform = platform
    answer_errors(app)
    door = Door(platform)
    app.include_router(control_router(platform))
    app.include_router(messages_router(platform, door))
    app.include_router(files_router(platform, door))
    app.include_router(nodes_router(platform, door))
    return app
