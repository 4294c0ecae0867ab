"""Avatars and voices: all of them, new ones, and the end of one."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.responses import JSONResponse

from bot.administration import avatars, naming, voices
from bot.administration.avatars import Begun
from bot.api.errors import language_of
from bot.api.guards import check_admin
from bot.api.presenting import avatar_object
from bot.api.schemas import ERRORS, AvatarsOut, BegunOut, TaskOut, VoicesOut
from bot.api.uploads import Upload, uploaded
from bot.channels.web.forms import Part
from bot.services import Services, services
from core.catalogue import Voice
from core.errors import DatabaseUnavailable, InputError, NotFound, QueueUnavailable, TooLarge
from core.i18n import t
from core.messages import MAX_PHOTO_BYTES
from core.states import TaskState
from db import admin

router = APIRouter(prefix="/api/v1", tags=["avatars and voices"], responses=ERRORS)

ACTOR = "api"
"""In the audit table: who has the admin key."""
RING_S = 0.5
PHOTO = Part("photo", MAX_PHOTO_BYTES, lambda: TooLarge("the photo is too large", message_id="error-photo-too-large"))
RECORDING = Part()
CONSENT = "yes"

Shared = Annotated[Services, Depends(services)]


def _form(file: str, *required: str, **fields: str) -> dict[str, Any]:
    """A form's description for /docs; fields: what each is."""
    known: dict[str, Any] = {name: {"type": "string", "description": told} for name, told in fields.items()}
    known[file] = {"type": "string", "format": "binary"}
    schema = {"type": "object", "required": [file, *required], "properties": known}
    return {"requestBody": {"required": True, "content": {"multipart/form-data": {"schema": schema}}}}


_NAMES = {"name": "in both languages, or in English beside name_ar", "name_ar": "in Arabic"}
_AVATAR_FORM = _form("photo", "name", **_NAMES, voice="an id of GET /api/v1/voices; else the default avatar's")
_VOICE_FORM = _form(
    "audio",
    "consent",
    **_NAMES | {"name": "in both languages, or in English beside name_ar; needed for a new voice"},
    consent="yes: the person who speaks has agreed",
    language="of the recording, two letters: ar, en …; if none, it is found out where speech recognition can",
    transcript="exactly what is said in the recording, at most 600 characters; if none, it is written down likewise",
    to="the id of a voice that was added: the recording becomes one more of it, or replaces that in its language",
)


@router.get("/avatars", response_model=AvatarsOut)
async def get_avatars(services: Shared) -> JSONResponse:
    """Everyone who can answer."""
    found = await asyncio.to_thread(_avatars, services)
    return JSONResponse({"default": await _default(services), "avatars": found})


@router.get("/voices", response_model=VoicesOut)
async def get_voices(services: Shared) -> JSONResponse:
    """Every voice that can be chosen."""
    return JSONResponse({"voices": [_voice(voice) for voice in services.catalogue.voices()]})


@router.post("/avatars", status_code=202, response_model=BegunOut, openapi_extra=_AVATAR_FORM)
async def post_avatar(request: Request, services: Shared) -> JSONResponse:
    """Begins an avatar of a photo of one face, seen from the front; its task tells when it is there, or why not.

    Needs the admin key.
    """
    check_admin(services.settings, request.headers)
    async with uploaded(request, services, PHOTO) as upload:
        template = services.catalogue.avatar(await _default(services))
        names = _names(upload)
        async with services.database.begin() as connection:
            begun = await avatars.add(
                connection,
                services.catalogue,
                actor=ACTOR,
                names=names,
                source={"file": upload.name},
                voice=upload.field("voice") or template.voice,
                template=template.id,
                language=language_of(request.scope),
                key=f"api:{upload.name}",
            )
            upload.kept = True
    return await _begun(services, begun)


@router.post("/voices", status_code=202, response_model=BegunOut, openapi_extra=_VOICE_FORM)
async def post_voice(request: Request, services: Shared) -> JSONResponse:
    """Begins a voice of 3 to 30 seconds of one person's speech, who has agreed to it, or one more recording of a voice;
    its task tells when it is there.

    Needs the admin key. The declaration of consent is kept with the recording.
    """
    check_admin(services.settings, request.headers)
    words = t("admin-consent-words", language_of(request.scope))
    async with uploaded(request, services, RECORDING) as upload:
        if upload.field("consent") != CONSENT:
            raise InputError("no consent", message_id="error-consent-field", words=words)
        asked = {"words": words, "language": language_of(request.scope)}
        async with services.database.begin() as connection:
            begun = await _recorded(connection, services, upload, **asked)
            upload.kept = True
    return await _begun(services, begun)


async def _recorded(connection: AsyncConnection, services: Services, upload: Upload, **asked: str) -> Begun:
    """Raises NotFound, Forbidden, InputError, VoiceInvalid."""
    told: dict[str, Any] = {
        "actor": ACTOR,
        "source": {"file": upload.name},
        "key": f"api:{upload.name.partition('/')[0]}",
        "spoken": upload.field("language"),
        "transcript": upload.field("transcript"),
        **asked,
    }
    if not upload.field("to"):
        return await voices.add(connection, services.catalogue, names=_names(upload), **told)
    voice = services.catalogue.voice(upload.field("to"))
    return await voices.extend(connection, voice=voice, root=services.settings.data_dir, **told)


@router.delete("/avatars/{avatar_id}", status_code=202, response_model=BegunOut)
async def delete_avatar(avatar_id: str, request: Request, services: Shared) -> JSONResponse:
    """Removes an avatar that was added; whoever talks with it gets the default one. Needs the admin key."""
    check_admin(services.settings, request.headers)
    avatar = services.catalogue.avatar(avatar_id)
    async with services.database.begin() as connection:
        begun = await avatars.remove(
            connection,
            services.catalogue,
            actor=ACTOR,
            avatar=avatar,
            root=services.settings.data_dir,
            otherwise=services.settings.default_avatar,
            language=language_of(request.scope),
        )
    return await _begun(services, begun)


@router.delete("/voices/{voice_id}", status_code=202, response_model=BegunOut)
async def delete_voice(voice_id: str, request: Request, services: Shared) -> JSONResponse:
    """Removes a voice that was added, unless an avatar speaks with it. Needs the admin key."""
    check_admin(services.settings, request.headers)
    voice = services.catalogue.voice(voice_id)
    async with services.database.begin() as connection:
        begun = await voices.remove(
            connection,
            services.catalogue,
            actor=ACTOR,
            voice=voice,
            root=services.settings.data_dir,
            language=language_of(request.scope),
        )
    return await _begun(services, begun)


@router.get("/tasks/{task_id}", response_model=TaskOut)
async def get_task(task_id: str, request: Request, services: Shared) -> JSONResponse:
    """What became of what was begun: queued, running, done or failed, with the reason. Needs the admin key."""
    check_admin(services.settings, request.headers)
    number = int(task_id) if task_id.isascii() and task_id.isdigit() and len(task_id) < 19 else 0
    async with services.database.begin() as connection:
        row = await admin.task(connection, number, (avatars.KIND, voices.KIND))
    if row is None:
        raise NotFound("no such task")
    return JSONResponse(_task(row, language_of(request.scope)))


async def _default(services: Services) -> str:
    """The administrators' choice, as far as the database can be asked, else the setting."""
    otherwise = services.settings.default_avatar
    with suppress(DatabaseUnavailable):
        async with services.database.begin() as connection:
            return await avatars.default(connection, services.catalogue, otherwise)
    return otherwise


def _names(upload: Upload) -> dict[str, str]:
    """Raises InputError."""
    name, arabic = upload.field("name"), upload.field("name_ar")
    return naming.named({"en": name, "ar": arabic}) if arabic else naming.names_of(name)


async def _begun(services: Services, begun: Begun) -> JSONResponse:
    """A bell that is not heard costs a reconciler's beat."""
    with suppress(QueueUnavailable, TimeoutError):
        async with asyncio.timeout(RING_S):
            await services.queue.ring_task(begun.task_id)
    return JSONResponse({"id": begun.id, "task_id": begun.task_id}, 202)


def _task(row: Mapping[str, Any], language: str) -> dict[str, Any]:
    error = row["error"] if row["state"] == TaskState.FAILED else None
    return {
        "task_id": row["id"],
        "kind": row["kind"],
        "act": row["payload"]["act"],
        "id": row["payload"]["id"],
        "state": row["state"],
        "notes": [t(voices.note_id(note), language) for note in (row["result"] or {}).get("notes", ())],
        "error": error and {"code": error["code"], "message": t(error["message_id"], language, **error["args"])},
        "created_at": row["created_at"].isoformat(),
        "ended_at": row["ended_at"] and row["ended_at"].isoformat(),
    }


def _avatars(services: Services) -> list[dict[str, object]]:
    return [avatar_object(avatar) for avatar in services.catalogue.avatars()]


def _voice(voice: Voice) -> dict[str, object]:
    languages = sorted(voice.references)
    return {"id": voice.id, "name": dict(voice.name), "engines": sorted(voice.engines), "languages": languages}
