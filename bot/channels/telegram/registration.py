"""What Telegram must know of the bot: where to call, and which commands to offer; and what it says of itself."""

from __future__ import annotations

import asyncio
import re
from functools import partial
from typing import Final

from telegram import BotCommand, WebhookInfo

from bot.channels.telegram.client import Client
from bot.channels.telegram.failures import translated
from bot.channels.telegram.insisting import insist
from bot.channels.telegram.parse import UPDATES
from core.errors import ChannelError, Refused
from core.i18n import t
from core.kinds import DEFAULT_LANGUAGE, LANGUAGES
from core.logging import get_logger
from core.settings import Settings

log = get_logger("bot.channels.telegram")

PATH: Final = "/webhooks/telegram"
WATCH_S: Final = 300.0
_COMMAND: Final = re.compile(r"[a-z0-9_]{1,32}")
_DESCRIPTION: Final = 256
"""Bot API, BotCommand."""


class Registration:
    """Of one bot. Nothing that waits at Telegram is ever dropped."""

    def __init__(self, client: Client, settings: Settings) -> None:
        self._client = client
        self._url = f"{settings.public_url.rstrip('/')}{PATH}"
        secret = settings.telegram_webhook_secret
        self._secret = secret.get_secret_value() if secret else None

    async def username(self) -> str | None:
        me = await insist("getMe", self._client.get_me)
        log.info("telegram_bot", username=me.username, id=me.id)
        return me.username

    async def set_webhook(self) -> None:
        async def act() -> bool:
            return await self._client.set_webhook(
                self._url, secret_token=self._secret, allowed_updates=list(UPDATES), drop_pending_updates=False
            )

        await insist("setWebhook", act)
        log.info("telegram_webhook", url=self._url)

    async def delete_webhook(self) -> None:
        async def act() -> bool:
            return await self._client.delete_webhook(drop_pending_updates=False)

        await insist("deleteWebhook", act)

    async def set_commands(self) -> None:
        """For each language, and for people with another one in the default. What is refused is given up."""
        for code in (None, *LANGUAGES):
            try:
                menu = _menu(code or DEFAULT_LANGUAGE)
            except KeyError as error:
                # A list without a sentence must not keep messages from coming in.
                log.error("telegram_command_undescribed", missing=str(error))
                continue
            await insist("setMyCommands", partial(self._set_menu, menu, code))

    async def watch(self) -> None:
        """Tells the operator what Telegram says of our webhook, and sets it again where another has changed it."""
        told = 0
        while True:
            await asyncio.sleep(WATCH_S)
            try:
                with translated():
                    told = await self._look(told)
            except ChannelError as error:
                log.warning("telegram_not_watched", code=error.code)

    async def _look(self, told: int) -> int:
        info = await self._client.get_webhook_info()
        if info.url != self._url:
            log.error("telegram_webhook_changed", remedy="another installation uses this bot's token: stop it")
            await self.set_webhook()
        return _tell(info, told)

    async def _set_menu(self, menu: list[BotCommand], code: str | None) -> None:
        try:
            with translated():
                await self._client.set_my_commands(menu, language_code=code)
        except Refused as error:
            log.error("telegram_commands_refused", language=code, reason=str(error))


def _menu(language: str) -> list[BotCommand]:
    """The commands are imported when they are needed: what they import is more than a channel needs."""
    from bot.commands.registry import PUBLIC

    names = [name for name in PUBLIC if _COMMAND.fullmatch(name)]
    return [BotCommand(name, t(f"command-{name}-short", language)[:_DESCRIPTION]) for name in names]


def _tell(info: WebhookInfo, told: int) -> int:
    """Logs an error of delivery once; its time."""
    at = int(info.last_error_date.timestamp()) if info.last_error_date else 0
    if at > told:
        log.warning("telegram_cannot_deliver", reason=info.last_error_message, waiting=info.pending_update_count)
    return max(at, told)
