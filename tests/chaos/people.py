"""The people of a plan: they write and speak on all channels, as their apps do it."""

from __future__ import annotations

import asyncio
import base64
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from simulators.control import PersonIn, Say
from simulators.delivery import Habits
from tests.chaos.plan import CANCEL, CHATS, EDIT, VOICE, Deed, Person, Plan, Weather
from tests.recordings import record

PATIENCE_S = 240.0
"""So long a page tries to get a message taken."""
AGAIN_S = 0.2
TRANSIENT = (429, 502, 503, 504, 507)
"""Statuses after which a page tries again: too many, away, no room."""


@dataclass
class Said:
    """A deed that was done. chat: the platform's, or the web's conversation. event_id: what the inbox calls it; key: a
    page's Idempotency-Key, which counts within its conversation. turn_id: what the web was told; told: the last status
    of a page's request. taken: the bot answered that it has it. at: monotonic."""

    deed: Deed
    chat: str = ""
    message_id: str | None = None
    event_id: str | None = None
    key: str | None = None
    turn_id: str | None = None
    told: int | None = None
    taken: bool = False
    at: float = field(default_factory=time.monotonic)


class People:
    """Everybody; `live` does what the plan says, at its times. said: what they did, in the order in which they did it.
    chats: the chat of each person who has one on a platform."""

    def __init__(self, plan: Plan, platforms: Mapping[str, Any], web: httpx.AsyncClient, folder: Path) -> None:
        self.said: list[Said] = []
        self.chats: dict[int, str] = {}
        self._plan = plan
        self._platforms = platforms
        self._web = web
        self._voice = record(folder / "said.ogg", seconds=0.6).read_bytes()
        self._of: dict[tuple[int, int], Said] = {}
        self._began = 0.0

    async def live(self, began: float) -> None:
        """began: the monotonic moment that the plan's times count from."""
        self._began = began
        for person in self._plan.people:
            if person.channel in CHATS:
                self.chats[person.number] = await self._register(person)
        async with asyncio.TaskGroup() as together:
            together.create_task(self._chat())
            together.create_task(self._change())
            for person in self._plan.people:
                if person.channel == "web":
                    together.create_task(self._browse(person))

    def taken(self) -> None:
        """Marks what the bot took: an answer 2xx to a webhook with it."""
        taken: dict[str, set[str]] = {channel: set() for channel in CHATS}
        for channel, known in taken.items():
            for attempt in self._platforms[channel].delivery.attempts:
                if attempt.status is not None and 200 <= attempt.status < 300:
                    known.update(attempt.ids)
        for said in self.said:
            channel = self._plan.people[said.deed.person].channel
            if channel in CHATS:
                said.taken = said.event_id in taken[channel]

    async def pages(self) -> dict[str, dict[str, Any]]:
        """What the web shows of each turn that it was told of."""
        found: dict[str, dict[str, Any]] = {}
        for said in self.said:
            if said.turn_id is not None and said.turn_id not in found:
                answer = await self._web.get(f"/api/v1/turns/{said.turn_id}")
                found[said.turn_id] = dict(answer.json()) if answer.status_code == 200 else {}
        return found

    async def _register(self, person: Person) -> str:
        made = await self._platforms[person.channel].add_person(
            PersonIn(name=f"Person {person.number}", language=person.language)
        )
        return str(made.chat)

    async def _until(self, at: float) -> None:
        await asyncio.sleep(max(0.0, self._began + at - time.monotonic()))

    async def _change(self) -> None:
        for weather in self._plan.weather:
            await self._until(weather.at)
            self._behave(weather)

    def _behave(self, weather: Weather) -> None:
        self._platforms[weather.channel].delivery.behave(Habits(**weather.habits))

    async def _chat(self) -> None:
        for deed in self._plan.deeds:
            person = self._plan.people[deed.person]
            if person.channel in CHATS:
                await self._until(deed.at)
                await self._say(person, deed)

    async def _say(self, person: Person, deed: Deed) -> None:
        chat = self.chats[person.number]
        told = await self._platforms[person.channel].say(Say(chat=chat, **self._content(deed)))
        self._keep(Said(deed, chat, told.message_id, told.event_id))

    def _content(self, deed: Deed) -> dict[str, Any]:
        fields: dict[str, Any] = {"duplicates": deed.duplicates, "batch": deed.batch}
        if deed.kind == VOICE:
            data = base64.b64encode(self._voice).decode()
            return {**fields, "kind": "voice", "file_base64": data, "mime": "audio/ogg", "seconds": 0.6}
        if deed.kind == EDIT:
            about = self._of[deed.person, deed.about or 0].message_id
            return {**fields, "kind": "edited_text", "text": deed.words, "message_id": about}
        return {**fields, "text": "/cancel" if deed.kind == CANCEL else deed.words}

    def _keep(self, said: Said) -> Said:
        self.said.append(said)
        self._of[said.deed.person, said.deed.number] = said
        return said

    async def _browse(self, person: Person) -> None:
        """A page sends its messages one after another, each until it is taken."""
        conversation: str | None = None
        for deed in (deed for deed in self._plan.deeds if deed.person == person.number):
            await self._until(deed.at)
            if deed.kind == CANCEL:
                await self._cancel(deed)
            else:
                conversation = await self._post(deed, conversation) or conversation

    async def _post(self, deed: Deed, conversation: str | None) -> str | None:
        """The conversation, None where nobody took it in time."""
        key = f"chaos-{self._plan.seed}-{deed.token}-and-no-other"
        said = self._keep(Said(deed, key=key, event_id=f"{conversation}:{key}" if conversation else key))
        deadline = said.at + PATIENCE_S
        while time.monotonic() < deadline:
            posts = [self._posted(said, conversation) for _ in range(1 + deed.duplicates)]
            for answer in await asyncio.gather(*posts):
                if answer is not None:
                    said.taken, said.turn_id, said.chat = True, answer["turn_id"], answer["conversation_id"]
            if said.taken:
                return said.chat
            if said.told is not None and said.told not in TRANSIENT:
                return None
            await asyncio.sleep(AGAIN_S)
        return None

    async def _posted(self, said: Said, conversation: str | None) -> dict[str, str] | None:
        """The answer where it was taken."""
        where = {"conversation_id": conversation} if conversation else {}
        headers = {"Idempotency-Key": said.key or ""}
        body: dict[str, Any] = {"json": {"text": said.deed.words, **where}}
        if said.deed.kind == VOICE:
            body = {"files": {"audio": ("said.ogg", self._voice, "audio/ogg")}, "data": where}
        try:
            answer = await self._web.post("/api/v1/messages", headers=headers, **body)
        except httpx.TransportError:
            said.told = None
            return None
        said.told = answer.status_code
        return dict(answer.json()) if answer.status_code == 202 else None

    async def _cancel(self, deed: Deed) -> None:
        """Once: whoever presses the button and gets no answer sees that the answer comes."""
        asked = self._of[deed.person, deed.about or 0]
        if asked.turn_id is None:
            return
        said = self._keep(Said(deed, asked.chat, turn_id=asked.turn_id, taken=True))
        try:
            said.told = (await self._web.delete(f"/api/v1/turns/{asked.turn_id}")).status_code
        except httpx.TransportError:
            said.told = None
