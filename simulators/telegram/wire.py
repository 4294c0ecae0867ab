"""A request to the Bot API, however it is encoded: query string, urlencoded or multipart form, or JSON."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any, Final

from fastapi import Request
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException

from simulators.telegram.refusals import Refused, bad

ROOM: Final = 1024 * 1024
"""A body may be this much larger than the largest file."""
FIELD_BYTES: Final = 1024 * 1024
MAX_PARTS: Final = 1000


@dataclass(frozen=True)
class Upload:
    """A file in a multipart form."""

    name: str
    data: bytes
    mime: str


@dataclass
class Call:
    """`args`: texts where `typed` is false (forms), values as in JSON where it is true."""

    method: str
    args: dict[str, Any] = field(default_factory=dict)
    files: dict[str, Upload] = field(default_factory=dict)
    typed: bool = False

    @property
    def chat(self) -> str | None:
        value = self.args.get("chat_id")
        return None if value is None else str(value)


async def read(request: Request, method: str, upload_bytes: int) -> Call:
    """Refused where it is larger than Telegram takes (413) or not what its Content-Type says (400)."""
    if int(request.headers.get("content-length") or 0) > upload_bytes + ROOM:
        raise too_large()
    call = Call(method, dict(request.query_params))
    if request.method == "GET":
        return call
    kind = request.headers.get("content-type", "").split(";")[0].strip().lower()
    if kind == "application/json":
        _take_json(call, await request.body())
    elif kind in ("multipart/form-data", "application/x-www-form-urlencoded"):
        await _take_form(call, request)
    elif await request.body():
        raise bad(f"unsupported Content-Type {kind or 'missing'}")
    if any(len(each.data) > upload_bytes for each in call.files.values()):
        raise too_large()
    return call


def too_large() -> Refused:
    return Refused(413, "Request Entity Too Large")


def _take_json(call: Call, body: bytes) -> None:
    try:
        value = json.loads(body or b"{}")
    except (ValueError, RecursionError) as error:
        raise bad("can't parse JSON object") from error
    if not isinstance(value, dict):
        raise bad("object expected")
    call.args.update(value)
    call.typed = True


async def _take_form(call: Call, request: Request) -> None:
    try:
        async with request.form(max_files=MAX_PARTS, max_fields=MAX_PARTS, max_part_size=FIELD_BYTES) as form:
            for name, value in form.multi_items():
                if isinstance(value, UploadFile):
                    mime = value.content_type or "application/octet-stream"
                    call.files[name] = Upload(value.filename or name, await value.read(), mime)
                else:
                    call.args[name] = value
    except HTTPException as error:
        raise bad(f"can't parse the form: {error.detail}") from error
