"""The control API: what people do, what reached them, and the faults; the same for both platforms.

A platform fulfils `Platform` and includes `control_router(platform)`; errors are `SmartTalkerError`s, answered with
their status and `{"error": "…"}` once `answer_errors(app)` was called.
"""

from __future__ import annotations

import base64
from dataclasses import asdict
from typing import Any, Protocol

from fastapi import APIRouter, FastAPI, Query, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from core.errors import InputError, NotFound, SmartTalkerError
from simulators.book import Book
from simulators.clock import Clock
from simulators.delivery import Delivery, Habits
from simulators.faults import Fault, Faults
from simulators.kinds import Id


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", populate_by_name=True)


class PersonIn(_Model):
    """Somebody new. `id` is made where it is missing; on WhatsApp a person has a `phone`, a `bsuid`, or both."""

    id: Id | None = None
    name: str = Field(min_length=1)
    language: str | None = None
    username: str | None = None
    phone: str | None = None
    bsuid: str | None = None
    no_video_notes: bool = False


class Person(PersonIn):
    """`chat`: the person's chat with the bot, for `say`."""

    id: Id = ""
    chat: str = ""


class GroupIn(_Model):
    """A group (`id` negative) of people that exist; the bot is in it."""

    id: Id | None = None
    title: str = "Group"
    members: list[Id] = Field(default_factory=list)
    supergroup: bool = False


class Group(GroupIn):
    id: Id = ""
    chat: str = ""


class Say(_Model):
    """A person does something in a chat. `sender` (`from` in JSON) is needed in groups only. `message_id`: the message
    that is edited or reacted to. `claimed_bytes`: the platform says the file is so large, whatever it is. `duplicates`:
    its webhook comes so often beyond once. `batch`: webhooks with the same word come as one, where the platform
    batches. `name`: the file's. `details`: more fields of the platform's own message object (`latitude` …)."""

    chat: Id
    sender: Id | None = Field(default=None, alias="from")
    kind: str = "text"
    text: str | None = None
    caption: str | None = None
    file_base64: str | None = None
    mime: str | None = None
    name: str | None = None
    seconds: float | None = None
    claimed_bytes: int | None = None
    reply_to: Id | None = None
    message_id: Id | None = None
    duplicates: int = Field(default=0, ge=0)
    batch: str | None = None
    details: dict[str, Any] = Field(default_factory=dict)

    @property
    def data(self) -> bytes | None:
        """The file; raises InputError where it is not base64."""
        if self.file_base64 is None:
            return None
        try:
            return base64.b64decode(self.file_base64, validate=True)
        except ValueError as error:
            raise InputError("file_base64 is not base64") from error


class Said(_Model):
    """`event_id`: what the bot knows the event by; None where the bot is not told (it is blocked, privacy mode)."""

    message_id: str | None = None
    event_id: str | None = None


class Press(_Model):
    """A press on a button, or on a row of a list: `choice` is its id. `sender` (`from`) is needed in groups only."""

    chat: Id
    message_id: Id
    choice: str
    sender: Id | None = Field(default=None, alias="from")
    duplicates: int = Field(default=0, ge=0)


class ChatRef(_Model):
    chat: Id


class Skip(_Model):
    skip_s: float = Field(ge=0)


class Platform(Protocol):
    """What the control API needs of a simulator."""

    book: Book
    clock: Clock
    faults: Faults
    delivery: Delivery

    async def add_person(self, person: PersonIn) -> Person: ...
    async def add_group(self, group: GroupIn) -> Group: ...
    async def say(self, said: Say) -> Said: ...
    async def press(self, pressed: Press) -> Said: ...
    async def block(self, chat: str) -> None: ...
    async def unblock(self, chat: str) -> None: ...
    async def delete_chat(self, chat: str) -> None: ...


def answer_errors(app: FastAPI) -> None:
    """Errors of the control API become JSON."""

    @app.exception_handler(SmartTalkerError)
    async def told(request: Request, error: Exception) -> JSONResponse:
        status = error.status if isinstance(error, SmartTalkerError) else 500
        return JSONResponse({"error": str(error)}, status)


def control_router(platform: Platform) -> APIRouter:
    """All routes below `/control`."""
    router = APIRouter(prefix="/control")
    _people(router, platform)
    _doings(router, platform)
    _results(router, platform)
    _weather(router, platform)
    return router


def _people(router: APIRouter, platform: Platform) -> None:
    @router.post("/people")
    async def add_person(person: PersonIn) -> Person:
        return await platform.add_person(person)

    @router.post("/groups")
    async def add_group(group: GroupIn) -> Group:
        return await platform.add_group(group)

    @router.post("/block")
    async def block(where: ChatRef) -> dict[str, bool]:
        await platform.block(where.chat)
        return {"ok": True}

    @router.post("/unblock")
    async def unblock(where: ChatRef) -> dict[str, bool]:
        await platform.unblock(where.chat)
        return {"ok": True}

    @router.post("/delete_chat")
    async def delete_chat(where: ChatRef) -> dict[str, bool]:
        await platform.delete_chat(where.chat)
        return {"ok": True}


def _doings(router: APIRouter, platform: Platform) -> None:
    @router.post("/say")
    async def say(said: Say) -> Said:
        return await platform.say(said)

    @router.post("/say_many")
    async def say_many(many: list[Say]) -> list[Said]:
        """Like `say`, for many at once: a load."""
        return [await platform.say(each) for each in many]

    @router.post("/press")
    async def press(pressed: Press) -> Said:
        return await platform.press(pressed)

    @router.post("/clock")
    async def clock(skip: Skip) -> dict[str, float]:
        platform.clock.skip(skip.skip_s)
        return {"now": platform.clock.now()}


def _results(router: APIRouter, platform: Platform) -> None:
    book = platform.book

    @router.get("/messages")
    async def messages(
        chat: str | None = None, after: int = Query(0, ge=0), wait_s: float = Query(0.0, ge=0, le=60)
    ) -> dict[str, Any]:
        found = await book.wait_after(chat, after, wait_s)
        return {"messages": [each.model_dump() for each in found]}

    @router.get("/actions")
    async def actions(chat: str | None = None) -> dict[str, Any]:
        return {"actions": [each.model_dump() for each in book.actions if chat in (None, each.chat)]}

    @router.get("/refused")
    async def refused(all: bool = False) -> dict[str, Any]:
        """What was refused as invalid; with `all`, also what no bot can help (429, a person who blocks it)."""
        return {"refused": [each.model_dump() for each in book.refused if all or each.invalid]}

    @router.get("/deliveries")
    async def deliveries() -> dict[str, Any]:
        return {"deliveries": [asdict(each) for each in platform.delivery.attempts]}

    @router.get("/files/{name}")
    async def file(name: str) -> Response:
        kept = book.files.get(name)
        if kept is None:
            raise NotFound(f"no file {name}")
        return Response(kept.data, media_type=kept.mime)


def _weather(router: APIRouter, platform: Platform) -> None:
    @router.post("/faults")
    async def add_faults(faults: list[Fault]) -> dict[str, int]:
        for fault in faults:
            platform.faults.add(fault)
        return {"waiting": len(platform.faults.left())}

    @router.get("/faults")
    async def left() -> dict[str, Any]:
        return {"faults": [each.model_dump() for each in platform.faults.left()]}

    @router.delete("/faults")
    async def clear() -> dict[str, bool]:
        platform.faults.clear()
        return {"ok": True}

    @router.post("/webhooks")
    async def habits(wanted: Habits) -> Habits:
        platform.delivery.behave(wanted)
        return platform.delivery.habits
