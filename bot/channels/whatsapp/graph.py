"""The Graph API through pywa: messages, uploads, files, the typing sign.

pywa's own layer of requests is used, not its client's `send_…` methods: those raise KeyError over an answer without
`contacts` although the message is out, take a BSUID with letters in it for a group's id, and a file's id that is not
all digits for a path.
"""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import httpx

from bot.channels.whatsapp.fields import mapping, objects, word
from bot.channels.whatsapp.transport import STREAMED, open_session
from core.errors import OutcomeUnknown, PlatformAway
from core.settings import Settings

VERSION = 26.0
"""Of the Graph API; pywa 4.5 is written for it."""
POST_S, UPLOAD_S, ASK_S = 9.0, 20.0, 10.0
"""A message, a file of 16 MB, a question. The longest send is a file, a picture, a message, and that once more without
its quote: 47 s of the courier's 50."""


class Graph:
    """Connections and pywa are there after the first use. Every method raises ChannelError."""

    def __init__(self, settings: Settings) -> None:
        assert settings.whatsapp_token is not None, "the registry opens configured channels only"
        self._token = settings.whatsapp_token.get_secret_value()
        self._phone_id = settings.whatsapp_phone_id
        self._session = open_session(settings.whatsapp_api_url)
        self._opened: Any = None
        self._opening = asyncio.Lock()

    async def post(
        self, to: Mapping[str, str], kind: str, content: Mapping[str, Any], *, reply_to: str | None, tracker: str | None
    ) -> str:
        """The message's id. to: `people.recipient`. Raises OutcomeUnknown where it is perhaps out."""
        api = await self._api()
        try:
            async with asyncio.timeout(POST_S):
                answer = await api.send_message(
                    sender=self._phone_id,
                    to=to.get("to"),
                    recipient=to.get("recipient"),
                    recipient_type="individual",
                    typ=kind,
                    msg=dict(content),
                    reply_to_message_id=reply_to,
                    biz_opaque_callback_data=tracker,
                )
        except (TimeoutError, ValueError) as error:
            raise OutcomeUnknown(type(error).__name__) from error
        sent = objects(mapping(answer).get("messages"))
        wamid = word(sent[0].get("id")) if sent else None
        if wamid is None:
            raise OutcomeUnknown("an answer without the message's id")
        return wamid

    async def upload(self, data: bytes, mime: str, filename: str) -> str:
        """The file's id, which serves for 30 days."""
        api = await self._api()
        with unseen():
            async with asyncio.timeout(UPLOAD_S):
                answer = await api.upload_media(phone_id=self._phone_id, media=data, mime_type=mime, filename=filename)
        id = word(mapping(answer).get("id"))
        if id is None:
            raise PlatformAway("an answer without the file's id")
        return id

    async def describe(self, media_id: str) -> dict[str, Any]:
        """`url`, `file_size`, `sha256` … of a file that somebody sent; the url serves for 5 minutes."""
        api = await self._api()
        with unseen():
            async with asyncio.timeout(ASK_S):
                return mapping(await api.get_media_url(media_id=media_id))

    @asynccontextmanager
    async def stream(self, url: str) -> AsyncIterator[httpx.Response]:
        """A file's bytes as they are. Raises httpx.HTTPError while they are read."""
        await self._api()
        async with self._session.stream(
            "GET", url, headers={"Accept-Encoding": "identity"}, follow_redirects=True, extensions={STREAMED: True}
        ) as answer:
            yield answer

    async def type(self, message_id: str) -> None:
        """Marks the message as read, and shows for 25 s or until the next message that somebody is typing."""
        api = await self._api()
        with unseen():
            async with asyncio.timeout(ASK_S):
                await api.set_indicator(phone_id=self._phone_id, message_id=message_id, typ="text")

    async def close(self) -> None:
        await self._session.aclose()

    async def _api(self) -> Any:
        """pywa takes a second to import: in a thread, once."""
        async with self._opening:
            if self._opened is None:
                pywa = await asyncio.to_thread(importlib.import_module, "pywa_async")
                client = pywa.WhatsApp(
                    self._phone_id, self._token, session=self._session, api_version=VERSION, validate_updates=False
                )
                self._opened = client.api
        return self._opened


@contextmanager
def unseen() -> Iterator[None]:
    """Of a request that nobody sees, an unknown outcome is none: it is made again."""
    try:
        yield
    except OutcomeUnknown as error:
        raise PlatformAway(str(error)) from error
    except (TimeoutError, ValueError, httpx.HTTPError) as error:
        raise PlatformAway(type(error).__name__) from error
