"""To WhatsApp: each row of the outbox is one message, a menu's picture apart."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from bot.channels.base import Chat, Outgoing, Sent, Surroundings
from bot.channels.whatsapp import shapes, uploads
from bot.channels.whatsapp.downloads import Downloads
from bot.channels.whatsapp.graph import Graph
from bot.channels.whatsapp.limits import LIMITS
from bot.channels.whatsapp.people import recipient
from bot.channels.whatsapp.uploads import Uploads
from core.errors import OutcomeUnknown, Refused
from core.i18n import t
from core.logging import get_logger

log = get_logger(__name__)

AGAIN = "↻ "
"""Stands before what is sent a second time because nobody knows whether the first time it arrived."""
SHOWN_KEPT = 256

Post = Callable[[Outgoing], Awaitable[str]]


class Sender:
    """Messages, files and typing signs of one business number."""

    name = "whatsapp"
    limits = LIMITS

    def __init__(self, surroundings: Surroundings) -> None:
        self._graph = Graph(surroundings.settings)
        self._uploads = Uploads(self._graph, surroundings.storage)
        self._downloads = Downloads(self._graph, LIMITS.max_fetch_bytes)
        self._shown: OrderedDict[int, None] = OrderedDict()
        """Rows whose picture is out while their list is not."""
        self._kinds: dict[str, Post] = {
            "text": self._text,
            "notice": self._text,
            "voice": self._voice,
            "video": self._video,
            "menu": self._menu,
            "document": self._document,
        }

    async def send(self, row: Outgoing) -> Sent:
        """Within 47 s. Raises ChannelError."""
        post = self._kinds.get(row.kind)
        if post is None:
            raise Refused(f"WhatsApp shows no {row.kind}")
        try:
            return Sent(external_id=await post(row))
        except Refused:
            # Perhaps the platform has dropped the file; the row's next attempt, if there is one, uploads it again.
            for name in (row.payload.get("path"), row.payload.get("picture")):
                self._uploads.forget(str(name))
            raise

    async def fetch(self, remote: Mapping[str, Any], target: Path) -> None:
        """See Downloads.fetch."""
        await self._downloads.fetch(remote, target)

    async def progress(self, chat: Chat, *, uploading: bool, message_id: str | None) -> None:
        """The sign belongs to a message, and marks it as read; there is one sign for everything."""
        if message_id is not None:
            await self._graph.type(message_id)

    async def close(self) -> None:
        await self._graph.close()

    async def _text(self, row: Outgoing) -> str:
        return await self._post(row, "text", shapes.text(_words(row)))

    async def _voice(self, row: Outgoing) -> str:
        id = await self._uploads.id_of(row.payload["path"], uploads.VOICE, LIMITS.max_voice_bytes)
        return await self._post(row, "audio", {"id": id, "voice": True})

    async def _video(self, row: Outgoing) -> str:
        id = await self._uploads.id_of(row.payload["path"], uploads.VIDEO, LIMITS.max_video_bytes)
        return await self._post(row, "video", shapes.captioned(id, _marked(row, row.payload.get("caption"))))

    async def _document(self, row: Outgoing) -> str:
        filename = shapes.line(row.payload.get("filename") or PurePosixPath(row.payload["path"]).name)
        mime = uploads.document_mime(filename)
        id = await self._uploads.id_of(row.payload["path"], mime, LIMITS.max_document_bytes)
        caption = _marked(row, row.payload.get("text"))
        return await self._post(row, "document", shapes.document(id, filename, caption))

    async def _menu(self, row: Outgoing) -> str:
        """Up to three short choices are buttons below the picture; more are a list, which can't hold one."""
        choices, body = row.payload["choices"], _words(row)
        if not choices:
            return await self._text(row)
        picture = await self._picture(row)
        if shapes.fits_buttons(choices):
            return await self._post(row, "interactive", shapes.buttons(body, choices, picture))
        if picture is not None and row.id not in self._shown:
            await self._show(row, picture)
        button = row.payload.get("button") or t("whatsapp-choose", row.payload.get("language"))
        wamid = await self._post(row, "interactive", shapes.listed(body, choices, button))
        self._shown.pop(row.id, None)
        return wamid

    async def _picture(self, row: Outgoing) -> str | None:
        """A menu is of use without its picture, too."""
        name = str(row.payload.get("picture") or "")
        mime = uploads.picture_mime(name)
        if mime is None:
            return None
        try:
            return await self._uploads.id_of(name, mime, uploads.MAX_PICTURE)
        except Refused as error:
            log.warning("menu_without_picture", why=str(error))
            return None

    async def _show(self, row: Outgoing, picture: str) -> None:
        """Without the row's tracker, since what becomes of the picture says nothing of the list."""
        try:
            await self._graph.post(recipient(row.chat), "image", {"id": picture}, reply_to=None, tracker=None)
        except (Refused, OutcomeUnknown) as error:
            log.warning("menu_without_picture", why=str(error))
        self._shown[row.id] = None
        while len(self._shown) > SHOWN_KEPT:
            self._shown.popitem(last=False)

    async def _post(self, row: Outgoing, kind: str, content: Mapping[str, Any]) -> str:
        """A message that can no longer be quoted is answered without a quote."""
        to, tracker = recipient(row.chat), str(row.id)
        try:
            return await self._graph.post(to, kind, content, reply_to=row.reply_to, tracker=tracker)
        except Refused as error:
            if row.reply_to is None or "context" not in str(error):
                raise
            log.info("sent_without_quote", why=str(error))
        return await self._graph.post(to, kind, content, reply_to=None, tracker=tracker)


def _words(row: Outgoing) -> str:
    """Raises Refused where there are none."""
    said = str(row.payload.get("text") or "").strip()
    if not said:
        raise Refused("an empty text")
    return _marked(row, said) or said


def _marked(row: Outgoing, said: str | None) -> str | None:
    return AGAIN + said if said and row.payload.get("repeated") else said
