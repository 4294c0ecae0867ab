"""Both platforms as a bot meets them: simulators over HTTP, our own three processes, and people with phones."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Any

import httpx

from core.supervisor import free_port
from simulators.phone import Message, Phone
from simulators.serving import served
from simulators.telegram.app import create_app as telegram_app
from simulators.telegram.config import TelegramConfig
from simulators.whatsapp.app import create_app as whatsapp_app
from simulators.whatsapp.config import Config as WhatsAppConfig
from tests.stack import Stack

CHANNELS = ("telegram", "whatsapp")
FILMS = ("video", "video_note")
"""A film is a round note where the platform has such."""
MENUS = ("menu", "photo")
"""Choices may hang on a picture."""
_TELEGRAM, _WHATSAPP = TelegramConfig(), WhatsAppConfig()
CREDENTIALS: Mapping[str, Mapping[str, str]] = {
    "telegram": {"telegram_token": _TELEGRAM.token, "telegram_webhook_secret": "a-secret_of-ours"},
    "whatsapp": {
        "whatsapp_phone_id": _WHATSAPP.phone_id,
        "whatsapp_token": _WHATSAPP.token,
        "whatsapp_app_secret": _WHATSAPP.app_secret,
        "whatsapp_verify_token": _WHATSAPP.verify_token,
    },
}


@contextmanager
def platform(channel: str, webhooks: str) -> Iterator[str]:
    """A simulator's URL. webhooks: the web process' address."""
    if channel == "telegram":
        app = telegram_app(_TELEGRAM)
    else:
        app = whatsapp_app(WhatsAppConfig(webhook_url=f"{webhooks}/webhooks/whatsapp"))
    with served(app) as url:
        yield url


@dataclass
class Town:
    """A platform, the processes of a bot on it, and the people who live there."""

    channel: str
    url: str
    stack: Stack
    settings: Mapping[str, str]

    @asynccontextmanager
    async def phone(self, name: str = "Salma", **person: Any) -> AsyncIterator[Phone]:
        async with await Phone.of(self.url, name, **{"language": "en", **person}) as phone:
            yield phone

    async def control(self, what: str) -> dict[str, Any]:
        """GET /control/<what>."""
        async with httpx.AsyncClient(base_url=self.url, trust_env=False) as client:
            return dict((await client.get(f"/control/{what}")).json())

    async def post(self, what: str, body: Any) -> None:
        """POST /control/<what>."""
        async with httpx.AsyncClient(base_url=self.url, trust_env=False) as client:
            (await client.post(f"/control/{what}", json=body)).raise_for_status()

    async def refused(self) -> list[Any]:
        """What the bot asked for and did not get, since it asked wrongly."""
        return list((await self.control("refused"))["refused"])


@contextmanager
def town(channel: str, stack: Stack, *names: str, **settings: Any) -> Iterator[Town]:
    """names: the processes to start. settings: more of the environment's."""
    port = free_port("127.0.0.1")
    address = f"http://127.0.0.1:{port}"
    with platform(channel, address) as url:
        given = {
            **CREDENTIALS[channel],
            f"{channel}_api_url": url,
            "public_url": address,
            "port": str(port),
            "host": "127.0.0.1",
            **settings,
        }
        stack.start(*(names or ("bot", "courier", "render")), **given)
        yield Town(channel, url, stack, given)


async def menu_after(phone: Phone, line: str, **more: Any) -> Message:
    """What a command that offers choices answers."""
    last = await phone.messages()
    await phone.say(line)
    found = await phone.wait_for(MENUS, after=last[-1].number if last else 0, **more)
    while not found.choices:
        found = await phone.wait_for(MENUS, after=found, **more)
    return found
