"""A person's phone: what tests and the demo use to talk with the bot through a simulator of either platform."""

from __future__ import annotations

import base64
import time
from collections.abc import Collection
from pathlib import Path
from types import TracebackType
from typing import Any, Final

import httpx

from core.errors import NotFound
from simulators.book import Choice
from simulators.book import SentMessage as Message

POLL_S: Final = 20.0
"""How long one request for messages waits at most."""

__all__ = ["Choice", "Message", "NothingCame", "Phone", "PhoneRefused"]


class PhoneRefused(NotFound):
    """The simulator did not take what the person did: its message says why."""


class NothingCame(NotFound):
    """The bot did not send what was waited for; the message names what it did send."""


class Phone:
    """One person in one chat. `after`: numbers of messages are global, so a new phone starts at what is there.

    Every method raises PhoneRefused where the simulator answers an error, and httpx.HTTPError where it is away.
    """

    def __init__(self, base_url: str, chat: str | int, *, sender: str | int | None = None) -> None:
        """sender: who holds the phone, for a group; in a private chat it is the chat's person."""
        self.base_url = base_url.rstrip("/")
        self.chat = str(chat)
        self.sender = None if sender is None else str(sender)
        timeout = httpx.Timeout(30.0, read=POLL_S + 30.0)
        self._client = httpx.AsyncClient(base_url=self.base_url, timeout=timeout, trust_env=False)

    @classmethod
    async def of(cls, base_url: str, name: str, **person: Any) -> Phone:
        """The phone of a new person (fields of `control.PersonIn`)."""
        async with httpx.AsyncClient(base_url=base_url, trust_env=False) as client:
            made = await client.post("/control/people", json={"name": name, **person})
        return cls(base_url, _answer(made)["chat"])

    async def __aenter__(self) -> Phone:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        await self._client.aclose()

    async def say(self, text: str, **more: Any) -> str:
        """The id of the message. more: other fields of `control.Say` (`reply_to`, `duplicates`, `batch` …)."""
        return await self.do("text", text=text, **more)

    async def say_voice(self, voice: bytes | Path, seconds: float | None = None, **more: Any) -> str:
        """Sends an Ogg/Opus recording as a voice note."""
        return await self.do("voice", voice, seconds=seconds, **{"mime": "audio/ogg", **more})

    async def send_photo(self, photo: bytes | Path, caption: str | None = None, **more: Any) -> str:
        return await self.do("photo", photo, caption=caption, **{"mime": "image/jpeg", **more})

    async def edit(self, message_id: str, text: str, **more: Any) -> str:
        """Corrects a text of one's own."""
        return await self.do("edited_text", text=text, message_id=message_id, **more)

    async def do(self, kind: str, file: bytes | Path | None = None, **fields: Any) -> str:
        """Any kind of message; the id of it (`` where it has none)."""
        return (await self.tell(kind, file, **fields)).get("message_id") or ""

    async def tell(self, kind: str, file: bytes | Path | None = None, **fields: Any) -> dict[str, Any]:
        """Like `do`, with the event's id: `control.Said`."""
        body = {"chat": self.chat, "kind": kind, "from": self.sender, **fields}
        if file is not None:
            data = file.read_bytes() if isinstance(file, Path) else file
            body["file_base64"] = base64.b64encode(data).decode()
        return await self._post("/control/say", body)

    async def press(self, message: Message, choice: str, **more: Any) -> str:
        """Presses the button or row with this id or title; the event's id. PhoneRefused where there is none."""
        found = next((each.id for each in message.choices if choice in (each.id, each.title)), choice)
        body = {"chat": self.chat, "message_id": message.id, "choice": found, "from": self.sender, **more}
        return (await self._post("/control/press", body)).get("event_id") or ""

    async def block(self) -> None:
        await self._post("/control/block", {"chat": self.chat})

    async def unblock(self) -> None:
        await self._post("/control/unblock", {"chat": self.chat})

    async def delete_chat(self) -> None:
        await self._post("/control/delete_chat", {"chat": self.chat})

    async def messages(self, after: int = 0, wait_s: float = 0.0) -> list[Message]:
        """What the bot sent to this chat, in the order of sending."""
        query: dict[str, str | float] = {"chat": self.chat, "after": after, "wait_s": wait_s}
        found = _answer(await self._client.get("/control/messages", params=query))["messages"]
        return [Message.model_validate(each) for each in found]

    async def actions(self) -> list[dict[str, Any]]:
        """Typing signs and the like in this chat, oldest first, each with `action` and `at`."""
        answer = _answer(await self._client.get("/control/actions", params={"chat": self.chat}))
        return list(answer["actions"])

    async def wait_for(
        self,
        kind: str | Collection[str],
        after: int | Message = 0,
        within_s: float = 30.0,
        reply_to: str | None = None,
        containing: str | None = None,
    ) -> Message:
        """The first message of (one of) the kinds with a number greater than `after`'s; NothingCame after `within_s`.

        reply_to: only an answer to this message. containing: only with these words in text or caption."""
        kinds = {kind} if isinstance(kind, str) else set(kind)
        number = start = after.number if isinstance(after, Message) else after
        until = time.monotonic() + within_s
        while True:
            came = await self.messages(number, max(0.0, min(POLL_S, until - time.monotonic())))
            for message in came:
                if message.kind in kinds and _fits(message, reply_to, containing):
                    return message
            number = max([number, *(each.number for each in came)])
            if time.monotonic() >= until:
                raise NothingCame(f"no {'/'.join(sorted(kinds))} within {within_s} s; {await self._summary(start)}")

    async def download(self, message: Message) -> bytes:
        """The file of a voice note, video, picture or document."""
        if message.file is None:
            raise PhoneRefused(f"a {message.kind} has no file")
        answer = await self._client.get(message.file)
        if answer.status_code != 200:
            raise PhoneRefused(f"{message.file}: {answer.status_code}")
        return answer.content

    async def _summary(self, after: int) -> str:
        came = await self.messages(after)
        listed = ", ".join(f"{each.kind} {(each.text or each.caption or '')[:60]!r}" for each in came)
        return f"there came: {listed or 'nothing'}"

    async def _post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        return _answer(await self._client.post(path, json=body))


def _fits(message: Message, reply_to: str | None, containing: str | None) -> bool:
    words = (message.text or "") + (message.caption or "")
    return reply_to in (None, message.reply_to) and (containing is None or containing in words)


def _answer(response: httpx.Response) -> dict[str, Any]:
    if response.status_code != 200:
        raise PhoneRefused(f"{response.request.url.path}: {response.status_code} {response.text[:500]}")
    body: dict[str, Any] = response.json()
    return body
