"""Files: upload, description, the second hop with the bearer token, deletion."""

from __future__ import annotations

import asyncio
from urllib.parse import urlencode

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from starlette.datastructures import FormData, UploadFile

from simulators.whatsapp.door import Door
from simulators.whatsapp.errors import GraphError, invalid, no_object
from simulators.whatsapp.library import LARGEST
from simulators.whatsapp.platform import WhatsApp

LINKS = "/whatsapp_business/attachments/"
FORM_BYTES = 10_000
"""What a multipart body has beside the file, at most."""


def files_router(platform: WhatsApp, door: Door) -> APIRouter:
    """Faults know the methods `media`, `download` and `delete_media`; `nodes` has the description, `media_url`."""
    router = APIRouter()

    @router.post("/{version}/{phone}/media")
    async def upload(version: str, phone: str, request: Request) -> Response:
        async def act(failure: int | None) -> Response:
            door.check_version(version)
            door.check_token(request)
            door.check_phone(phone, "POST")
            data, mime = await _uploaded(request)
            return JSONResponse({"id": (await asyncio.to_thread(platform.library.upload, data, mime)).id})

        return await door.answer("media", None, act)

    @router.delete("/{version}/{media}")
    async def delete(version: str, media: str, request: Request, phone_number_id: str | None = None) -> Response:
        async def act(failure: int | None) -> Response:
            door.check_version(version)
            door.check_token(request)
            door.check_phone(phone_number_id or platform.config.phone_id, "DELETE")
            platform.library.delete(media)
            return JSONResponse({"success": True})

        return await door.answer("delete_media", None, act)

    @router.get(LINKS)
    async def download(request: Request) -> Response:
        async def act(failure: int | None) -> Response:
            door.check_token(request)
            asset = platform.library.follow(request.query_params.get("hash", ""))
            if asset is None:
                raise GraphError(100, "The link has expired or was never given", status=404)
            return Response(asset.data, media_type=asset.mime)

        return await door.answer("download", None, act)

    return router


def describe(platform: WhatsApp, request: Request, id: str, phone_number_id: str | None) -> Response:
    """The answer to `GET /{media}`. Raises GraphError 100/33."""
    if phone_number_id not in (None, platform.config.phone_id):
        raise no_object(id, "GET")
    asset = platform.library.get(id)
    return JSONResponse(asset.described(_here(request) + LINKS + "?" + urlencode(platform.library.link(asset))))


def _here(request: Request) -> str:
    """This server's own address: the Host header may name the service that is simulated."""
    host, port = request.scope["server"]
    return f"http://{host}:{port}"


async def _uploaded(request: Request) -> tuple[bytes, str]:
    """The file and its declared type. Raises GraphError 100 for a part that is missing, 131053 for far too much."""
    if not request.headers.get("content-type", "").startswith("multipart/form-data"):
        raise invalid("The parameter file is required.")
    size = request.headers.get("content-length", "")
    if size.isdigit() and int(size) > max(LARGEST.values()) + FORM_BYTES:
        raise GraphError(131053, f"A body of {size} bytes", status=413)
    async with request.form(max_files=1, max_fields=10) as form:
        return await _parts(form)


async def _parts(form: FormData) -> tuple[bytes, str]:
    if "messaging_product" not in form:
        raise invalid("The parameter messaging_product is required.")
    if form["messaging_product"] != "whatsapp":
        raise invalid("Param messaging_product must be one of {WHATSAPP} - got something else.")
    file = form.get("file")
    if not isinstance(file, UploadFile):
        raise invalid("The parameter file is required.")
    declared = form.get("type")
    if not isinstance(declared, str) or not declared:
        raise invalid("The parameter type is required.")
    minutes = form.get("ttl_minutes", "60")
    if not isinstance(minutes, str) or not minutes.isdigit() or not 60 <= int(minutes) <= 43200:
        raise invalid("Param ttl_minutes must be an integer from 60 to 43200.")
    return await file.read(), file.content_type or declared
