"""Every error as {"error": {"code", "message", "request_id"}}, in the language that was asked for."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse
from starlette.types import Receive, Scope, Send

from core.errors import (
    AudioInvalid,
    InputError,
    LimitReached,
    SmartTalkerError,
    SurroundingsError,
)
from core.i18n import t
from core.kinds import LANGUAGES
from core.logging import get_logger

log = get_logger("bot.api")

RETRY_S = 5
DRAIN_BYTES, DRAIN_S = 32 * 1024 * 1024, 2.0
_AUDIO_STATUS = {"too_large": 413, "not_audio": 415, "unknown_codec": 415}
_HTTP = {
    404: ("not_found", "error-not-found"),
    405: ("method_not_allowed", "error-method"),
    413: ("too_large", "error-too-large"),
}
_TAG = re.compile(r"\s*([a-zA-Z]{2})\b")


class TooMuch(JSONResponse):
    """Reads on for a moment after its body is out: a client that still sends would otherwise meet a reset."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        await send({"type": "http.response.body", "body": self.body, "more_body": True})
        try:
            async with asyncio.timeout(DRAIN_S):
                await _drain(receive)
        except TimeoutError:
            pass
        await send({"type": "http.response.body", "body": b""})


async def _drain(receive: Receive) -> None:
    read = 0
    while read < DRAIN_BYTES:
        message = await receive()
        read += len(message.get("body", b""))
        if not message.get("more_body", False):
            return


def language_of(scope: Scope) -> str:
    """What the request's body asked for, else its Accept-Language, else English."""
    chosen = scope.get("state", {}).get("language")
    if chosen in LANGUAGES:
        return str(chosen)
    for name, value in scope["headers"]:
        if name == b"accept-language":
            tags = (_TAG.match(part) for part in value.decode("latin-1").split(","))
            known = [tag[1].lower() for tag in tags if tag and tag[1].lower() in LANGUAGES]
            return known[0] if known else "en"
    return "en"


def error_object(scope: Scope, code: str, message_id: str, args: Mapping[str, Any] | None = None) -> dict[str, str]:
    """With the request's id, in its language."""
    message = t(message_id, language_of(scope), **(args or {}))
    return {"code": code, "message": message, "request_id": scope["state"]["request_id"]}


def error_response(
    scope: Scope,
    status: int,
    code: str,
    message_id: str,
    args: Mapping[str, Any] | None = None,
    headers: Mapping[str, str] | None = None,
) -> JSONResponse:
    """The error object as a response."""
    content = {"error": error_object(scope, code, message_id, args)}
    kind = TooMuch if status == 413 else JSONResponse
    return kind(content, status, headers=dict(headers or {}))


def smarttalker_response(scope: Scope, error: SmartTalkerError) -> JSONResponse:
    status = error.status
    if isinstance(error, AudioInvalid):
        status = _AUDIO_STATUS.get(error.args_for_user.get("reason", ""), status)
    if status >= 500:
        log.warning("refused", code=error.code, why=str(error))
    return error_response(scope, status, error.code, error.user_message_id, error.args_for_user, _retry(error))


def _retry(error: SmartTalkerError) -> dict[str, str]:
    if isinstance(error, LimitReached):
        return {"Retry-After": str(error.retry_after_s)}
    return {"Retry-After": str(RETRY_S)} if isinstance(error, SurroundingsError) else {}


def internal_response(scope: Scope) -> JSONResponse:
    return error_response(scope, 500, SmartTalkerError.code, SmartTalkerError.message_id)


def described(error: ValidationError | RequestValidationError) -> InputError:
    """The first thing that is wrong, with its field."""
    first = error.errors()[0]
    field = ".".join(str(part) for part in first["loc"] if part not in ("body", "query", "path"))
    return InputError(f"{field}: {first['msg']}", detail=f"{field}: {first['msg']}")


def add_handlers(app: FastAPI) -> None:
    app.add_exception_handler(SmartTalkerError, _smarttalker)
    app.add_exception_handler(RequestValidationError, _validation)
    app.add_exception_handler(HTTPException, _http)


async def _smarttalker(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, SmartTalkerError)
    return smarttalker_response(request.scope, error)


async def _validation(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    return smarttalker_response(request.scope, described(error))


async def _http(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    code, message_id = _HTTP.get(error.status_code, (InputError.code, "error-internal"))
    return error_response(request.scope, error.status_code, code, message_id, headers=error.headers)
