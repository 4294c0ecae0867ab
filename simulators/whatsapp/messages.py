"""`POST /{version}/{phone}/messages`: messages, read marks and typing signs."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from simulators.whatsapp.checks import read_message
from simulators.whatsapp.door import Door, json_body
from simulators.whatsapp.errors import GraphError
from simulators.whatsapp.platform import WhatsApp
from simulators.whatsapp.shapes import ReadMark


def messages_router(platform: WhatsApp, door: Door) -> APIRouter:
    """Faults know two methods: `messages` (also `messages.text`, `messages.video` …) and `typing`."""
    router = APIRouter()

    @router.post("/{version}/{phone}/messages")
    async def messages(version: str, phone: str, request: Request) -> Response:
        body = await _body_or_error(request)
        mark = isinstance(body, dict) and "status" in body

        async def act(failure: int | None) -> Response:
            door.check_version(version)
            door.check_token(request)
            door.check_phone(phone, "POST")
            if isinstance(body, GraphError):
                raise body
            return JSONResponse(await _act(platform, body, failure))

        kind = body.get("type") if isinstance(body, dict) else None
        chat = _chat(platform, body)
        return await door.answer("typing" if mark else "messages", chat, act, kind if isinstance(kind, str) else "")

    return router


async def _body_or_error(request: Request) -> Any:
    """What is wrong with the body is told after the token was looked at."""
    try:
        return await json_body(request)
    except GraphError as error:
        return error


async def _act(platform: WhatsApp, body: Any, failure: int | None) -> dict[str, Any]:
    message = read_message(body)
    if isinstance(message, ReadMark):
        platform.mark_read(message)
        return {"success": True}
    return await platform.accept(message, failure)


def _chat(platform: WhatsApp, body: Any) -> str | None:
    """Whose chat a body names, right or wrong as it may be."""
    if not isinstance(body, dict):
        return None
    if isinstance(wamid := body.get("message_id"), str):
        return platform.chat_of(wamid)
    address = body.get("to") or body.get("recipient")
    somebody = platform.people.at(address) if isinstance(address, str) else None
    return somebody.chat if somebody else None
