"""A file that comes with a form: its size is looked at before a byte is read, and it stays only where it is kept."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from fastapi import Request

from bot.channels.web.forms import Form, Part, read_form
from bot.services import Services
from core.errors import InputError, MediaTypeUnsupported, SmartTalkerError
from core.storage import storage_errors

UPLOAD_S = 120.0


@dataclass
class Upload:
    """name: of the file in the storage. kept: somebody else deletes it."""

    form: Form
    name: str
    kept: bool = False

    def field(self, name: str) -> str:
        """Its last value without the space around it; empty where it did not come."""
        return (self.form.fields.get(name) or [""])[-1].strip()


@asynccontextmanager
async def uploaded(request: Request, services: Services, part: Part) -> AsyncIterator[Upload]:
    """The form's fields and its file, which is gone after the block unless it is kept.

    Raises MediaTypeUnsupported, what read_form raises, and InputError where the file is missing or comes too slowly.
    """
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "multipart/form-data":
        raise MediaTypeUnsupported(message_id="error-form-type", field=part.name)
    declared = request.headers.get("content-length", "")
    if declared.isdigit() and int(declared) > part.most_of_form:
        raise part.too_large()
    folder = str(uuid.uuid4())
    upload = Upload(Form(), f"{folder}/0/upload")
    try:
        upload.form = await _read(request, services, upload.name, part)
        yield upload
    finally:
        if not upload.kept:
            services.storage.remove(folder)


async def _read(request: Request, services: Services, name: str, part: Part) -> Form:
    path = services.storage.path(name)
    with storage_errors():
        path.parent.mkdir(parents=True)
    try:
        async with asyncio.timeout(UPLOAD_S):
            limited = _limited(request.stream(), part.most_of_form, part.too_large())
            form = await read_form(limited, request.headers["content-type"], path, part)
    except TimeoutError:
        raise InputError("the upload took too long", detail=f"the upload took longer than {UPLOAD_S:g} s") from None
    if not form.has_file:
        raise InputError(f"{part.name} is missing", detail=f"{part.name}: the file is missing")
    return form


async def _limited(chunks: AsyncIterator[bytes], most: int, error: SmartTalkerError) -> AsyncIterator[bytes]:
    read = 0
    async for chunk in chunks:
        read += len(chunk)
        if read > most:
            raise error
        yield chunk
