"""Answers' files, for whoever holds a signed link."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends
from starlette.responses import FileResponse

from bot.api.schemas import ERRORS
from bot.services import Services, services
from core.errors import Forbidden, NotFound
from core.storage import verify

router = APIRouter(prefix="/api/v1", tags=["media"], responses=ERRORS)

TYPES = {".mp4": "video/mp4", ".ogg": "audio/ogg", ".wav": "audio/wav", ".m4a": "audio/mp4", ".jpg": "image/jpeg"}
"""What is served at all."""


@router.get("/media/{name:path}", response_class=FileResponse)
async def get_media(
    name: str, services: Annotated[Services, Depends(services)], expires: str = "", signature: str = ""
) -> FileResponse:
    """A part of an answer; understands Range, so that players can jump."""
    if not verify(name, services.media_key, expires, signature):
        raise Forbidden("the link has expired or is not ours")
    path = services.storage.existing(name)
    if path.suffix not in TYPES:
        raise NotFound("no such file")
    headers = {"Cache-Control": "private, max-age=3600, immutable", "Content-Disposition": "inline"}
    return FileResponse(path, media_type=TYPES[path.suffix], headers=headers)
