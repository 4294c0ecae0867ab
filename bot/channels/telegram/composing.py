"""Each kind of row as a call of the Bot API; texts are plain, so that nothing in them is markup."""

from __future__ import annotations

import math
from typing import Any, Final

from telegram import LinkPreviewOptions, Message, ReplyParameters
from telegram.error import BadRequest

from bot.channels.base import Chat, Limits, Outgoing, Sent
from bot.channels.telegram.client import Client
from bot.channels.telegram.failures import is_chat_gone, is_restricted
from bot.channels.telegram.wrapping import Uploads, keyboard, menu_text, units, words
from core.errors import Refused

ROOMY: Final = 4096
"""UTF-16 code units of a message (Bot API, sendMessage)."""
PHOTO_BYTES: Final = 10_000_000
"""Bot API, sendPhoto."""
ROUND_SIDE: Final = 640
"""Pixels of a video note's diameter (Bot API, sendVideoNote: length; TDLib refuses more)."""
_NO_PREVIEW: Final = LinkPreviewOptions(is_disabled=True)


class Composer:
    """Sends; its methods raise TelegramError, Refused, and TimeoutError."""

    def __init__(self, client: Client, limits: Limits) -> None:
        self._client = client
        self._limits = limits
        self._kinds = {
            "text": self._text,
            "notice": self._text,
            "voice": self._voice,
            "video": self._video,
            "menu": self._menu,
            "document": self._document,
        }

    async def send(self, row: Outgoing, uploads: Uploads) -> Sent:
        compose = self._kinds.get(row.kind)
        if compose is None:
            raise Refused(f"telegram sends no {row.kind}")
        return await compose(row, uploads)

    async def _text(self, row: Outgoing, uploads: Uploads) -> Sent:
        text = words(row, "text", self._limits.text_length or ROOMY)
        return _sent(await self._client.send_message(**_target(row), text=text, link_preview_options=_NO_PREVIEW))

    async def _voice(self, row: Outgoing, uploads: Uploads) -> Sent:
        """As a document where voice notes are forbidden."""
        if row.chat.traits.get("no_voice"):
            return _sent(await self._sound_file(row, uploads))
        try:
            return _sent(await self._voice_note(row, uploads))
        except BadRequest as error:
            if not is_restricted(error) or is_chat_gone(error):
                raise
            return _sent(await self._sound_file(row, uploads), no_voice=True)

    async def _voice_note(self, row: Outgoing, uploads: Uploads) -> Message:
        uploads.begin()
        return await self._client.send_voice(
            **_target(row),
            voice=uploads.add(row.payload["path"], "voice.ogg", self._limits.max_voice_bytes),
            duration=_seconds(row),
            caption=self._caption(row),
        )

    async def _sound_file(self, row: Outgoing, uploads: Uploads) -> Message:
        uploads.begin()
        file = uploads.add(row.payload["path"], "voice.ogg", self._limits.max_document_bytes)
        return await self._client.send_document(**_target(row), document=file, caption=self._caption(row))

    async def _video(self, row: Outgoing, uploads: Uploads) -> Sent:
        """Round where it may be; what Telegram does not take round it may take as a plain video."""
        if not self._round(row):
            return _sent(await self._plain_video(row, uploads))
        try:
            return _sent(await self._video_note(row, uploads))
        except BadRequest as error:
            if is_chat_gone(error):
                raise
            learned = {"no_round": True} if is_restricted(error) else {}
            return _sent(await self._plain_video(row, uploads), **learned)

    def _round(self, row: Outgoing) -> bool:
        width, height = row.payload.get("width"), row.payload.get("height")
        square = isinstance(width, int) and width == height and 0 < width <= ROUND_SIDE
        short = float(row.payload.get("seconds") or math.inf) <= self._limits.round_seconds
        return square and short and not row.chat.traits.get("no_round")

    async def _video_note(self, row: Outgoing, uploads: Uploads) -> Message:
        uploads.begin()
        return await self._client.send_video_note(
            **_target(row),
            video_note=uploads.add(row.payload["path"], "answer.mp4", self._limits.max_video_bytes),
            duration=_seconds(row),
            length=row.payload["width"],
            thumbnail=uploads.small(row.payload.get("thumbnail")),
        )

    async def _plain_video(self, row: Outgoing, uploads: Uploads) -> Message:
        uploads.begin()
        return await self._client.send_video(
            **_target(row),
            video=uploads.add(row.payload["path"], "answer.mp4", self._limits.max_video_bytes),
            duration=_seconds(row),
            width=row.payload.get("width"),
            height=row.payload.get("height"),
            supports_streaming=True,
            thumbnail=uploads.small(row.payload.get("thumbnail")),
            caption=self._caption(row),
        )

    async def _menu(self, row: Outgoing, uploads: Uploads) -> Sent:
        """With its picture where the text fits below one, and where Telegram takes the picture."""
        buttons = keyboard(row.payload.get("choices", ()))
        caption = menu_text(row, self._limits.caption_length)
        picture = row.payload.get("picture")
        if picture and units(words(row, "text", ROOMY)) <= self._limits.caption_length:
            try:
                uploads.begin()
                photo = uploads.add(picture, _picture_name(picture), PHOTO_BYTES)
                return _sent(
                    await self._client.send_photo(**_target(row), photo=photo, caption=caption, reply_markup=buttons)
                )
            except Refused:
                pass
            except BadRequest as error:
                if is_chat_gone(error):
                    raise
            uploads.begin()
        text = menu_text(row, self._limits.text_length or ROOMY)
        return _sent(
            await self._client.send_message(
                **_target(row), text=text, reply_markup=buttons, link_preview_options=_NO_PREVIEW
            )
        )

    async def _document(self, row: Outgoing, uploads: Uploads) -> Sent:
        uploads.begin()
        name = str(row.payload.get("filename") or "file")
        file = uploads.add(row.payload["path"], name, self._limits.max_document_bytes)
        caption = self._caption(row, "text")
        return _sent(await self._client.send_document(**_target(row), document=file, caption=caption))

    def _caption(self, row: Outgoing, key: str = "caption") -> str | None:
        return words(row, key, self._limits.caption_length) or None


def target_of(chat: Chat) -> dict[str, Any]:
    """Where to: the chat, under its newest id, and the topic of a forum."""
    where = str(chat.traits.get("moved_to") or chat.id)
    thread = str(chat.addresses.get("thread") or "")
    found: dict[str, Any] = {"chat_id": int(where) if where.lstrip("-").isdecimal() else where}
    if thread.isdecimal():
        found["message_thread_id"] = int(thread)
    return found


def _target(row: Outgoing) -> dict[str, Any]:
    """A reply goes to the topic of what it answers, wherever the chat's last message was."""
    found = target_of(row.chat)
    if row.reply_to is not None and row.reply_to.isdecimal():
        found.pop("message_thread_id", None)
        found["reply_parameters"] = ReplyParameters(int(row.reply_to), allow_sending_without_reply=True)
    return found


def _sent(message: Message, **learned: Any) -> Sent:
    return Sent(str(message.message_id), learned)


def _seconds(row: Outgoing) -> int | None:
    seconds = row.payload.get("seconds")
    return max(1, round(float(seconds))) if seconds else None


def _picture_name(name: Any) -> str:
    return f"picture{'.' + str(name).rpartition('.')[2] if '.' in str(name) else ''}"
