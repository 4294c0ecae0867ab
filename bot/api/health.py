"""Is it alive, is it ready, and how is it doing."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from starlette.responses import JSONResponse, Response

from bot.api.errors import error_object
from bot.services import Services, services
from core.errors import DatabaseUnavailable, QueueUnavailable, SmartTalkerError
from core.metrics import CONTENT_TYPE
from db import views

router = APIRouter(tags=["health"])

CHECK_S = 2.0

Shared = Annotated[Services, Depends(services)]


@router.get("/healthz")
async def get_health() -> dict[str, str]:
    """The process answers, whatever it stands on."""
    return {"status": "ok"}


@router.get("/readyz")
async def get_readiness(request: Request, services: Shared) -> JSONResponse:
    """PostgreSQL and Redis answer; 503 names the one that does not."""
    database, queue = await asyncio.gather(_answers(views.states(services.database)), _answers(services.queue.ping()))
    away = DatabaseUnavailable if not database else QueueUnavailable if not queue else None
    checks = {"postgres": "ok" if database else "away", "redis": "ok" if queue else "away"}
    if away is None:
        return JSONResponse({"status": "ok", **checks})
    content = {"status": "away", **checks, "error": error_object(request.scope, away.code, away.message_id)}
    return JSONResponse(content, 503, headers={"Retry-After": "5"})


@router.get("/metrics", include_in_schema=False)
async def get_metrics(services: Shared) -> Response:
    """Prometheus' text format; the queue's depth is left out while PostgreSQL is away."""
    try:
        async with asyncio.timeout(CHECK_S):
            depth = await views.states(services.database)
    except (SmartTalkerError, TimeoutError):
        depth = None
    return Response(await asyncio.to_thread(services.metrics.exposition, depth), media_type=CONTENT_TYPE)


async def _answers(question: Coroutine[Any, Any, object]) -> bool:
    try:
        async with asyncio.timeout(CHECK_S):
            await question
    except (SmartTalkerError, TimeoutError):
        return False
    return True
