"""Idle loops: films of avatars that wait."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from starlette.responses import FileResponse, JSONResponse, Response

from bot.api.errors import error_response
from bot.api.schemas import ERRORS, IdleOut
from bot.services import Services, services
from core.idling import loop_of
from db import idling

router = APIRouter(prefix="/api/v1", tags=["avatars and voices"], responses=ERRORS)

WAIT_S = 2
"""A loop is drawn in about so long."""
CACHED = "public, max-age=3600"

_MP4 = {"content": {"video/mp4": {"schema": {"type": "string", "format": "binary"}}}}
_RESPONSES: dict[int | str, dict[str, Any]] = {
    200: {"description": "The loop: H.264 in MP4, without sound", **_MP4},
    202: {"description": "It is being made: ask again after Retry-After seconds", "model": IdleOut},
    206: {"description": "The part that Range asked for", **_MP4},
    304: {"description": "It is still the one of If-None-Match"},
}


@router.get("/avatars/{avatar_id}/idle", response_class=FileResponse, responses=_RESPONSES)
async def get_idle(avatar_id: str, request: Request, services: Annotated[Services, Depends(services)]) -> Response:
    """The avatar that waits: a film of a few seconds that joins on to itself. Needs no key; understands Range.

    The first to ask has it made.
    """
    loop = await asyncio.to_thread(loop_of, services.catalogue.avatar(avatar_id))
    path = loop.path(services.settings.data_dir)
    headers = {"Cache-Control": CACHED, "ETag": f'"{loop.fingerprint}"'}
    if _has(request, headers["ETag"]):
        return Response(status_code=304, headers=headers)
    if path.is_file():
        return FileResponse(path, media_type="video/mp4", headers=headers)
    async with services.database.begin() as connection:
        ordered = await idling.order(connection, loop)
    if ordered.error is not None:
        error, again = ordered.error, {"Retry-After": str(round(idling.FAILED_S))}
        return error_response(request.scope, 503, error["code"], error["message_id"], error["args"], again)
    if ordered.rings is not None:
        services.bell.task(ordered.rings)
    return JSONResponse({"state": "queued"}, 202, headers={"Retry-After": str(WAIT_S), "Cache-Control": "no-store"})


def _has(request: Request, tag: str) -> bool:
    """Whether If-None-Match names it (RFC 9110, 13.1.2: weak comparison)."""
    asked = request.headers.get("if-none-match", "")
    return tag in [each.strip().removeprefix("W/") for each in asked.split(",")]
