"""POST /api/v1/messages: a text or a recording in."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Request
from starlette.responses import JSONResponse

from bot.api.schemas import ERRORS, AcceptedOut, ErrorOut
from bot.channels.web import receive
from bot.channels.web.forms import MAX_FORM, Form, read_form
from bot.services import Services, services
from core.decoding import decode_voice, refuse
from core.errors import InputError, MediaTypeUnsupported, TooLarge
from core.messages import Accepted
from core.storage import storage_errors

router = APIRouter(prefix="/api/v1", tags=["messages"])

UPLOAD_S = 120.0
_FORM_SCHEMA = {
    "type": "object",
    "required": ["audio"],
    "properties": {
        "audio": {"type": "string", "format": "binary", "description": "at most 5 minutes and 16 MB"},
        **{name: {"type": "string"} for name in ("conversation_id", "avatar", "voice", "language", "modes")},
    },
}
_BODY = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {"schema": receive.MessageIn.model_json_schema()},
            "multipart/form-data": {"schema": _FORM_SCHEMA},
        },
    }
}


_LATER = {"Retry-After": {"description": "seconds", "schema": {"type": "integer"}}}
_FULL: dict[int | str, dict[str, Any]] = {
    429: {
        "model": ErrorOut,
        "description": "`too_many_open`: the conversation has as many messages without an answer as one may have;"
        " nothing was stored, and the same Idempotency-Key serves when it is sent again",
        "headers": _LATER,
    },
    503: {
        "model": ErrorOut,
        "description": "`queue_full`: as many messages wait as are taken; nothing was stored, and the same"
        " Idempotency-Key serves when it is sent again. `database_unavailable`: the same",
        "headers": _LATER,
    },
}


@router.post(
    "/messages", status_code=202, response_model=AcceptedOut, responses={**ERRORS, **_FULL}, openapi_extra=_BODY
)
async def post_message(
    request: Request,
    services: Annotated[Services, Depends(services)],
    idempotency_key: Annotated[str | None, Header(description="the same key again: the same turn")] = None,
) -> JSONResponse:
    """Takes a text (JSON) or a recording (a form) and answers at once; the turn tells how far the answer is."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    try:
        async with asyncio.timeout(UPLOAD_S):
            accepted = await _accept(request, services, kind, _key(request, idempotency_key))
    except TimeoutError:
        raise InputError("the upload took too long", detail=f"the upload took longer than {UPLOAD_S:g} s") from None
    content = {"turn_id": accepted.turn_id, "conversation_id": accepted.conversation_id}
    return JSONResponse(content, 202)


def _key(request: Request, given: str | None) -> receive.Key | None:
    return receive.checked_key(given, request.client.host if request.client else "")


async def _accept(request: Request, services: Services, kind: str, key: receive.Key | None) -> Accepted:
    if kind == "application/json":
        _check_length(request, receive.MAX_JSON)
        message = _checked(request, await receive.read_json(request.stream()))
        return await services.intake.take(receive.inbound(message, key))
    if kind == "multipart/form-data":
        _check_length(request, MAX_FORM)
        return await _accept_form(request, services, key)
    raise MediaTypeUnsupported


def _check_length(request: Request, most: int) -> None:
    """Refuses by the declared length before a byte is read; what comes without one is counted as it comes."""
    declared = request.headers.get("content-length", "")
    if declared.isdigit() and int(declared) > most:
        raise TooLarge(f"the body is larger than {most} bytes")


def _checked(request: Request, content: dict[str, Any]) -> receive.MessageIn:
    """From here on errors are told in the language that the message asks for."""
    request.state.language = content.get("language")
    return receive.checked(content)


async def _accept_form(request: Request, services: Services, key: receive.Key | None) -> Accepted:
    """Whatever goes wrong, and where the event is known already, no file stays."""
    folder = f"{uuid.uuid4()}"
    upload = services.storage.path(f"{folder}/0/upload")
    kept = False
    try:
        with storage_errors():
            upload.parent.mkdir(parents=True)
        form = await read_form(_limited(request.stream()), request.headers["content-type"], upload)
        message = _checked(request, receive.form_fields(form.fields))
        if form.has_file:
            accepted = await _take_recording(services, message, form, folder, key)
            kept = not accepted.duplicate
        else:
            accepted = await services.intake.take(receive.inbound(message, key))
        return accepted
    finally:
        with suppress(OSError):
            upload.unlink()
        if not kept:
            services.storage.remove(folder)


async def _take_recording(
    services: Services, message: receive.MessageIn, form: Form, folder: str, key: receive.Key | None
) -> Accepted:
    """Everything cheap is checked before the recording is decoded. A client that heard nothing in time sends again,
    while the first is still at work: it is decoded once, or a machine that is slow would get ever slower.
    """
    name = f"{folder}/0/voice.wav"
    inbound = receive.inbound(message, key, media=name, digest=form.digest)
    services.intake.check_choices(inbound.avatar, inbound.voice)
    upload = services.storage.path(f"{folder}/0/upload")
    if upload.stat().st_size == 0:
        raise refuse("empty")
    async with services.recordings.held(inbound.event_id):
        if (known := await services.intake.known(inbound)) is not None:
            return known
        await services.intake.check_room(inbound)
        async with services.decoders:
            await decode_voice(upload, services.storage.path(name))
        return await services.intake.take(inbound)


async def _limited(chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    read = 0
    async for chunk in chunks:
        read += len(chunk)
        if read > MAX_FORM:
            raise TooLarge("the form is too large")
        yield chunk
