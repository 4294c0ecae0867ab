"""The bot's side of the WhatsApp simulator for tests: a real pywa client, a real receiver of webhooks, real files."""

from __future__ import annotations

import asyncio
import io
import json
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import av
import httpx
import numpy as np
from fastapi import FastAPI, Request, Response
from PIL import Image
from pywa_async import WhatsApp

from simulators.phone import Phone
from simulators.serving import served
from simulators.whatsapp.app import create_app
from simulators.whatsapp.config import Config
from tests.recordings import record


async def until(true: Callable[[], Any], within_s: float = 10.0) -> Any:
    deadline = time.monotonic() + within_s
    while not (result := true()):
        assert time.monotonic() < deadline, "waited in vain"
        await asyncio.sleep(0.01)
    return result


class ToSimulator(httpx.AsyncHTTPTransport):
    """Sends what is meant for Meta's host to the simulator."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self._url = httpx.URL(url)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        to = self._url
        request.url = request.url.copy_with(scheme=to.scheme, host=to.host, port=to.port)
        return await super().handle_async_request(request)


@dataclass
class Webhooks:
    """What the bot's webhook got. answers: its next HTTP statuses; afterwards 200."""

    url: str = ""
    verify_token: str = ""
    bodies: list[bytes] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    answers: list[int] = field(default_factory=list)

    def parsed(self) -> list[dict[str, Any]]:
        return [json.loads(body) for body in self.bodies]

    def values(self) -> list[dict[str, Any]]:
        return [change["value"] for body in self.parsed() for entry in body["entry"] for change in entry["changes"]]

    def messages(self) -> list[dict[str, Any]]:
        return [each for value in self.values() for each in value.get("messages", [])]

    def statuses(self, wamid: str | None = None) -> list[dict[str, Any]]:
        found = [each for value in self.values() for each in value.get("statuses", [])]
        return [each for each in found if wamid in (None, each["id"])]

    async def wait_for_status(self, wamid: str, word: str) -> dict[str, Any]:
        await until(lambda: any(each["status"] == word for each in self.statuses(wamid)))
        return next(each for each in self.statuses(wamid) if each["status"] == word)


@contextmanager
def receiver(verify_token: str) -> Iterator[Webhooks]:
    app, webhooks = FastAPI(), Webhooks(verify_token=verify_token)

    @app.get("/webhook")
    async def confirm(request: Request) -> Response:
        query = request.query_params
        right = query.get("hub.mode") == "subscribe" and query.get("hub.verify_token") == webhooks.verify_token
        return Response(query["hub.challenge"] if right else "", 200 if right else 403)

    @app.post("/webhook")
    async def take(request: Request) -> Response:
        status = webhooks.answers.pop(0) if webhooks.answers else 200
        if status == 200:
            webhooks.bodies.append(await request.body())
            webhooks.headers.append(dict(request.headers))
        return Response(status_code=status)

    with served(app) as url:
        webhooks.url = f"{url}/webhook"
        yield webhooks


@dataclass
class Side:
    """One simulator, the bot's client for it, its webhooks, and the control API."""

    url: str
    config: Config
    bot: WhatsApp
    session: httpx.AsyncClient
    webhooks: Webhooks
    control: httpx.AsyncClient
    phones: list[Phone] = field(default_factory=list)

    async def phone(self, name: str = "Sara", **person: Any) -> Phone:
        """Of a new person; it has not said anything yet."""
        self.phones.append(await Phone.of(self.url, name, **person))
        return self.phones[-1]

    async def close(self) -> None:
        for phone in self.phones:
            await phone.close()

    async def fault(self, method: str, effect: str, **more: Any) -> None:
        made = await self.control.post("/control/faults", json=[{"method": method, "effect": effect, **more}])
        assert made.status_code == 200, made.text

    async def skip(self, seconds: float) -> None:
        await self.control.post("/control/clock", json={"skip_s": seconds})

    async def refused(self) -> list[dict[str, Any]]:
        return list((await self.control.get("/control/refused")).json()["refused"])

    async def habits(self, **habits: Any) -> None:
        assert (await self.control.post("/control/webhooks", json=habits)).status_code == 200


@asynccontextmanager
async def bot_side(**changes: Any) -> AsyncIterator[Side]:
    """changes: fields of the simulator's `Config`."""
    plain = Config(**changes)
    with receiver(plain.verify_token) as webhooks:
        config = Config(**{"webhook_url": webhooks.url, **changes})
        with served(create_app(config)) as url:
            mounts = {"https://graph.facebook.com": ToSimulator(url)}
            async with (
                httpx.AsyncClient(mounts=mounts, timeout=2.0) as session,
                httpx.AsyncClient(base_url=url, timeout=10.0) as control,
            ):
                bot = WhatsApp(config.phone_id, config.token, session=session, app_secret=config.app_secret)
                side = Side(url, config, bot, session, webhooks, control)
                try:
                    yield side
                finally:
                    await side.close()


def jpeg(side: int = 64) -> bytes:
    drawn = io.BytesIO()
    Image.new("RGB", (side, side), "teal").save(drawn, "JPEG")
    return drawn.getvalue()


def voice_note(folder: Path, seconds: float = 1.0) -> bytes:
    return record(folder / "note.ogg", seconds).read_bytes()


def clip(folder: Path, *, video: str = "libx264", audio: str | None = "aac", seconds: float = 1.0) -> bytes:
    """An MP4 of a grey square with a tone."""
    path = folder / "clip.mp4"
    with av.open(str(path), "w") as container:
        pictures: Any = container.add_stream(video, rate=25)
        pictures.width = pictures.height = 64
        pictures.pix_fmt = "yuv420p"
        sound: Any = container.add_stream(audio, rate=44_100) if audio else None
        for _ in range(round(25 * seconds)):
            frame = av.VideoFrame.from_ndarray(np.full((64, 64, 3), 128, np.uint8), format="rgb24")
            container.mux(pictures.encode(frame))
        container.mux(pictures.encode(None))
        if sound is not None:
            _tone(container, sound, seconds)
    return path.read_bytes()


def _tone(container: Any, sound: Any, seconds: float) -> None:
    for start in range(0, round(44_100 * seconds), 1024):
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
        frame.sample_rate, frame.pts = 44_100, start
        container.mux(sound.encode(frame))
    container.mux(sound.encode(None))
