"""The three processes over HTTP, as a person's page uses them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import httpx

from core.states import ENDS
from core.supervisor import free_port
from tests.helpers import outbox_of
from tests.stack import Stack

START_S, ANSWER_S = 90, 90
ENDED = {str(state) for state in ENDS}

Turn = dict[str, Any]


class Service:
    """A stack, and a client of its page."""

    def __init__(self, stack: Stack, **settings: Any) -> None:
        self.stack = stack
        self._settings = settings
        self._port = free_port("127.0.0.1")
        self._client = httpx.AsyncClient(base_url=f"http://127.0.0.1:{self._port}", timeout=10)

    async def __aenter__(self) -> Service:
        self.stack.start("bot", "courier", "render", host="127.0.0.1", port=self._port, **self._settings)
        await self._until("/readyz", lambda body: True, START_S)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._client.aclose()

    async def render_refuses(self) -> str:
        """Starts a worker that can't; its last words."""
        self.stack.start("render", **self._settings)
        assert await self.stack.ended("render", START_S) == 1
        return self.stack.log("render")

    async def say(self, note: Path) -> Turn:
        """The turn of a voice note, at its end."""
        files = {"audio": (note.name, note.read_bytes(), "audio/ogg")}
        return await self.end_of(self._taken(await self._client.post("/api/v1/messages", files=files)))

    async def write(self, text: str, **choices: Any) -> Turn:
        """The turn of a text, at its end."""
        return await self.end_of(await self.begin(text, **choices))

    async def begin(self, text: str, **choices: Any) -> str:
        """The turn's id."""
        return self._taken(await self._client.post("/api/v1/messages", json={"text": text, **choices}))

    async def cancel(self, turn_id: str) -> None:
        response = await self._client.delete(f"/api/v1/turns/{turn_id}")
        assert response.is_success, response.text

    async def end_of(self, turn_id: str) -> Turn:
        return await self.turn(turn_id, lambda turn: turn["state"] in ENDED)

    async def turn(self, turn_id: str, true: Callable[[Turn], bool], within_s: float = ANSWER_S) -> Turn:
        """The turn as soon as something is true of it."""
        return await self._until(f"/api/v1/turns/{turn_id}", true, within_s)

    async def file(self, url: str) -> bytes:
        return (await self._client.get(url)).content

    async def told(self, turn: Mapping[str, Any]) -> list[str]:
        """The notices of a turn."""
        sent = await outbox_of(self.stack.database, turn["turn_id"])
        return [row["payload"]["id"] for row in sent if row["kind"] == "notice"]

    def _taken(self, response: httpx.Response) -> str:
        assert response.status_code == 202, response.text
        return str(response.json()["turn_id"])

    async def _until(self, path: str, true: Callable[[Turn], bool], within_s: float) -> Turn:
        deadline = time.monotonic() + within_s
        while True:
            try:
                response = await self._client.get(path)
                if response.status_code == 200 and true(body := response.json()):
                    return dict(body)
            except httpx.TransportError:
                pass
            assert time.monotonic() < deadline, "".join(self.stack.log(each)[-3000:] for each in ("bot", "render"))
            await asyncio.sleep(0.1)
