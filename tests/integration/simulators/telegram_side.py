"""A simulator, a real python-telegram-bot `Bot` on it, and a web server that takes its webhooks."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

import httpx
from fastapi import FastAPI, Request, Response
from telegram import Bot
from telegram.request import HTTPXRequest

from simulators.phone import Phone
from simulators.serving import served
from simulators.telegram import Rates, TelegramConfig, create_app

Json = dict[str, Any]

NO_RATES: Final = Rates(math.inf, math.inf, group_per_min=math.inf)
QUICK: Final = TelegramConfig(rates=NO_RATES)


@dataclass
class Side:
    """One simulator: its address, a bot, and the control API."""

    url: str
    bot: Bot
    http: httpx.AsyncClient

    async def phone(self, name: str = "Mona", **person: Any) -> Phone:
        """The phone of somebody who has started the bot already; no update of it waits."""
        phone = await Phone.of(self.url, name, **person)
        await phone.say("/start")
        return phone

    async def control(self, path: str, body: Any) -> Any:
        answer = await self.http.post(f"/control/{path}", json=body)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def seen(self, path: str) -> Any:
        return (await self.http.get(f"/control/{path}")).json()

    async def fault(self, method: str, effect: str, **more: Any) -> None:
        await self.control("faults", [{"method": method, "effect": effect, **more}])

    async def updates(self) -> list[Json]:
        """Every update so far."""
        return list((await self.seen("updates"))["updates"])


@asynccontextmanager
async def opened(config: TelegramConfig = QUICK, read_timeout: float = 5.0) -> AsyncIterator[Side]:
    with served(create_app(config)) as url:
        request = HTTPXRequest(read_timeout=read_timeout, httpx_kwargs={"trust_env": False})
        bot = Bot(
            config.token, base_url=f"{url}/bot", base_file_url=f"{url}/file/bot", request=request,
            get_updates_request=HTTPXRequest(httpx_kwargs={"trust_env": False}),
        )  # fmt: skip
        async with bot, httpx.AsyncClient(base_url=url, trust_env=False) as http:
            yield Side(url, bot, http)


@dataclass
class Hook:
    """What came to a webhook; `answers` are the next statuses, then 200."""

    url: str = ""
    came: list[Json] = field(default_factory=list)
    secrets: list[str | None] = field(default_factory=list)
    answers: list[int] = field(default_factory=list)

    @property
    def ids(self) -> list[int]:
        return [each["update_id"] for each in self.came]


@contextmanager
def hooked() -> Iterator[Hook]:
    hook, app = Hook(), FastAPI()

    @app.post("/hook")
    async def take(request: Request) -> Response:
        hook.came.append(await request.json())
        hook.secrets.append(request.headers.get("X-Telegram-Bot-Api-Secret-Token"))
        return Response(status_code=hook.answers.pop(0) if hook.answers else 200)

    with served(app) as url:
        hook.url = f"{url}/hook"
        yield hook


async def until(true: Callable[[], Any], within_s: float = 5.0) -> None:
    end = time.monotonic() + within_s
    while not true():
        assert time.monotonic() < end, "waited in vain"
        await asyncio.sleep(0.01)
