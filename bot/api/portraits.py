"""An avatar's picture, whole or as small as a list needs it."""

from __future__ import annotations

import asyncio
import io
from enum import IntEnum
from functools import lru_cache
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Response
from starlette.responses import FileResponse

from bot.api.schemas import ERRORS
from bot.services import Services, services
from core.errors import NotFound

router = APIRouter(prefix="/api/v1", tags=["avatars and voices"], responses=ERRORS)

_KEPT = {"Cache-Control": "public, max-age=3600"}
_QUALITY = 82


class Size(IntEnum):
    """Pixels a side: a face beside a message, in a list, on a card; each on a screen of two pixels a point."""

    SMALL = 96
    MEDIUM = 192
    LARGE = 384


@router.get("/avatars/{avatar_id}/portrait", response_class=FileResponse)
async def get_portrait(
    avatar_id: str,
    services: Annotated[Services, Depends(services)],
    size: Annotated[Size | None, Query(description="a square WebP of this many pixels instead of the PNG")] = None,
) -> Response:
    """A PNG, or a small WebP; needs no key."""
    portrait = services.catalogue.avatar(avatar_id).portrait
    if not portrait.is_file():
        raise NotFound("no portrait")
    if size is None:
        return FileResponse(portrait, media_type="image/png", headers=_KEPT)
    content = await asyncio.to_thread(_small, portrait, portrait.stat().st_mtime_ns, int(size))
    return Response(content, media_type="image/webp", headers=_KEPT)


@lru_cache(maxsize=192)
def _small(portrait: Path, written_ns: int, size: int) -> bytes:
    """About 2 to 15 kB; made again when the file is another."""
    from PIL import Image, ImageOps

    with Image.open(portrait) as picture:
        square = ImageOps.fit(picture.convert("RGB"), (size, size), Image.Resampling.LANCZOS)
    out = io.BytesIO()
    square.save(out, "WEBP", quality=_QUALITY)
    return out.getvalue()
