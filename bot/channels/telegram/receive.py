"""From Telegram, in the web process: by webhook where a secret is set, else by asking."""

from __future__ import annotations

import asyncio

from fastapi import APIRouter

from bot.channels.base import Surroundings, Take
from bot.channels.telegram.client import Client, open_client
from bot.channels.telegram.failures import translated
from bot.channels.telegram.parse import Parser
from bot.channels.telegram.polling import Poller
from bot.channels.telegram.registration import PATH, Registration
from bot.channels.telegram.webhook import Webhook


class Receiver:
    """One bot."""

    name = "telegram"

    def __init__(self, surroundings: Surroundings) -> None:
        self._settings = surroundings.settings
        secret = self._settings.telegram_webhook_secret
        self._secret = secret.get_secret_value() if secret else None
        self._parser = Parser(self._settings.channels[self.name])

    def routes(self, take: Take) -> APIRouter:
        """None without a secret: then nobody calls."""
        router = APIRouter()
        if self._secret is not None:
            webhook = Webhook(self._secret, self._parser, take)
            router.add_api_route(PATH, webhook.receive, methods=["POST"], include_in_schema=False, response_model=None)
        return router

    async def run(self, take: Take) -> None:
        """Until it is cancelled."""
        client = open_client(self._settings)
        try:
            await self._serve(client, take)
        finally:
            await client.close_connections()

    async def check(self) -> str:
        """The bot's name, and whether Telegram calls or is asked. Raises ChannelError."""
        client = open_client(self._settings)
        try:
            with translated():
                me = await client.get_me()
        finally:
            await client.close_connections()
        way = "polled" if self._secret is None else f"calls {self._settings.public_url.rstrip('/')}{PATH}"
        return f"@{me.username}, {way}"

    async def _serve(self, client: Client, take: Take) -> None:
        """Messages come first, the list of commands after; groups are understood as soon as the bot knows its name."""
        registration = Registration(client, self._settings)
        self._parser.know(await registration.username())
        if self._secret is not None:
            await registration.set_webhook()
            await registration.set_commands()
            await registration.watch()
            return
        async with asyncio.TaskGroup() as together:
            together.create_task(registration.set_commands())
            together.create_task(Poller(client, registration, self._parser, take).run())
