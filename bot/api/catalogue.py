"""Avatars and voices."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from starlette.responses import FileResponse, JSONResponse

from bot.api.guards import check_admin
from bot.api.schemas import ERRORS, AvatarsOut, VoicesOut
from bot.services import Services, services
from core.catalogue import Avatar, Voice
from core.errors import NotFound, NotOffered

router = APIRouter(prefix="/api/v1", tags=["avatars and voices"], responses=ERRORS)

Shared = Annotated[Services, Depends(services)]


@router.get("/avatars", response_model=AvatarsOut)
async def get_avatars(services: Shared) -> JSONResponse:
    """Everyone who can answer."""
    avatars = [_avatar(avatar) for avatar in services.catalogue.avatars()]
    return JSONResponse({"default": services.settings.default_avatar, "avatars": avatars})


@router.get("/avatars/{avatar_id}/portrait", response_class=FileResponse)
async def get_portrait(avatar_id: str, services: Shared) -> FileResponse:
    """A PNG; needs no key."""
    portrait = services.catalogue.avatar(avatar_id).portrait
    if not portrait.is_file():
        raise NotFound("no portrait")
    return FileResponse(portrait, media_type="image/png", headers={"Cache-Control": "public, max-age=3600"})


@router.get("/voices", response_model=VoicesOut)
async def get_voices(services: Shared) -> JSONResponse:
    """Every voice that can be chosen."""
    return JSONResponse({"voices": [_voice(voice) for voice in services.catalogue.voices()]})


@router.post("/avatars", status_code=501)
async def post_avatar(request: Request, services: Shared) -> None:
    """Needs the admin key; avatars are folders under DATA_DIR/avatars for now."""
    _refuse(request, services, "avatars")


@router.post("/voices", status_code=501)
async def post_voice(request: Request, services: Shared) -> None:
    """Needs the admin key; voices are folders under DATA_DIR/voices for now."""
    _refuse(request, services, "voices")


def _refuse(request: Request, services: Services, kind: str) -> None:
    check_admin(services.settings, request.headers)
    folder = f"SMARTTALKER_DATA_DIR/{kind}/<id>/"
    raise NotOffered(f"{kind} are added as folders: {folder}", folder=folder)


def _avatar(avatar: Avatar) -> dict[str, object]:
    return {
        "id": avatar.id,
        "name": dict(avatar.name),
        "voice": avatar.voice,
        "portrait_url": f"/api/v1/avatars/{avatar.id}/portrait",
    }


def _voice(voice: Voice) -> dict[str, object]:
    return {"id": voice.id, "name": dict(voice.name), "engines": sorted(voice.engines)}
