"""To Telegram, in the courier: one row, one message."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from telegram.error import BadRequest, ChatMigrated, TelegramError

from bot.channels.base import Chat, Outgoing, Sent, Surroundings
from bot.channels.telegram.client import open_client
from bot.channels.telegram.composing import Composer, target_of
from bot.channels.telegram.download import Downloads
from bot.channels.telegram.failures import UNREADABLE, failure, is_topic_gone, translated
from bot.channels.telegram.floods import Floods
from bot.channels.telegram.limits import LIMITS
from bot.channels.telegram.wrapping import Uploads
from core.errors import ChannelError, RateLimited

SEND_S: Final = 45.0
ACKNOWLEDGE_S: Final = 4.0
"""Together below the 50 s that a send may take."""
PROGRESS_S: Final = 5.0


class Sender:
    """One bot. Connects when first used."""

    name = "telegram"
    limits = LIMITS

    def __init__(self, surroundings: Surroundings) -> None:
        """Raises ConfigurationError."""
        self._storage = surroundings.storage
        self._client = open_client(surroundings.settings)
        self._composer = Composer(self._client, LIMITS)
        self._downloads = Downloads(self._client, surroundings.settings, LIMITS.max_fetch_bytes)
        self._floods = Floods()

    async def send(self, row: Outgoing) -> Sent:
        """Learned traits: no_round, no_voice (the chat takes no such notes), moved_to (its id as a supergroup)."""
        await self._acknowledge(row)
        with Uploads(self._storage) as uploads:
            try:
                async with asyncio.timeout(SEND_S):
                    return await self._follow(row, uploads)
            except (TelegramError, TimeoutError, *UNREADABLE) as error:
                raise self._judged(failure(error, unsent=uploads.unsent), row.chat) from error

    async def fetch(self, remote: Mapping[str, Any], target: Path) -> None:
        await self._downloads.fetch(remote, target)

    async def progress(self, chat: Chat, *, uploading: bool, message_id: str | None) -> None:
        doing = "upload" if uploading else "record"
        action = f"{doing}_video" if chat.traits.get("no_round") else f"{doing}_video_note"
        with translated():
            async with asyncio.timeout(PROGRESS_S):
                await self._client.send_chat_action(**target_of(chat), action=action)

    async def close(self) -> None:
        await self._downloads.close()
        await self._client.close_connections()

    async def _follow(self, row: Outgoing, uploads: Uploads) -> Sent:
        """To the chat, to where it has moved, or, where its topic is gone, to the chat as a whole."""
        try:
            return await self._composer.send(row, uploads)
        except ChatMigrated as moved:
            here = str(moved.new_chat_id)
            chat = replace(row.chat, traits={**row.chat.traits, "moved_to": here}, addresses={})
            sent = await self._composer.send(replace(row, chat=chat, reply_to=None), uploads)
            return replace(sent, learned={**sent.learned, "moved_to": here})
        except BadRequest as error:
            if not (is_topic_gone(error) and row.chat.addresses.get("thread")):
                raise
            return await self._composer.send(replace(row, chat=replace(row.chat, addresses={})), uploads)

    async def _acknowledge(self, row: Outgoing) -> None:
        """Ends the button's waiting sign; a press is too old after some minutes, and that never matters."""
        pressed = row.payload.get("choice_token")
        if pressed:
            with suppress(ChannelError), translated():
                async with asyncio.timeout(ACKNOWLEDGE_S):
                    await self._client.answer_callback_query(str(pressed))

    def _judged(self, error: ChannelError, chat: Chat) -> ChannelError:
        return self._floods.judged(error, chat) if isinstance(error, RateLimited) else error
