"""Webhooks to the bot: their JSON as Meta writes it, signed, with several events in one body in every layout."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import cycle
from typing import Any, Final

import httpx

from simulators.delivery import Event, Post
from simulators.whatsapp.config import Config
from simulators.whatsapp.errors import GraphError

Value = dict[str, Any]
Layout = Callable[["Writer", list["Piece"]], list[Value]]
MAX_BATCH: Final = 1000
"""Meta, "Webhooks": updates are put together up to 1000."""
ANSWER_S: Final = 10.0


@dataclass(frozen=True)
class Piece:
    """One message or status. `list`: where it stands in a value. contact: None where the platform sends none."""

    list: str
    item: dict[str, Any]
    contact: dict[str, Any] | None = None


@dataclass
class Writer:
    """Makes the webhooks of pieces. `url`: None while nothing is subscribed: then events are dropped."""

    config: Config
    url: str | None = None
    _layouts: Iterator[Layout] = field(default_factory=lambda: cycle((_one_change, _many_changes, _many_entries)))

    def write(self, events: Sequence[Event]) -> Post | None:
        if self.url is None:
            return None
        pieces = [event.payload for event in events]
        layout = next(self._layouts) if len(pieces) > 1 else _one_change
        body = as_meta_writes({"object": "whatsapp_business_account", "entry": layout(self, pieces)})
        return Post(self.url, body, signed(body, self.config.app_secret))

    def change(self, pieces: list[Piece]) -> Value:
        """One change with its contacts (each person once), messages and statuses."""
        where = {"display_phone_number": self.config.display_phone, "phone_number_id": self.config.phone_id}
        value: Value = {"messaging_product": "whatsapp", "metadata": where}
        contacts = [piece.contact for piece in pieces if piece.contact is not None]
        if contacts:
            value["contacts"] = [each for n, each in enumerate(contacts) if each not in contacts[:n]]
        for piece in pieces:
            value.setdefault(piece.list, []).append(piece.item)
        return {"value": value, "field": "messages"}

    def entry(self, changes: list[Value]) -> Value:
        return {"id": self.config.waba_id, "changes": changes}


def _one_change(post: Writer, pieces: list[Piece]) -> list[Value]:
    return [post.entry([post.change(pieces)])]


def _many_changes(post: Writer, pieces: list[Piece]) -> list[Value]:
    return [post.entry([post.change([piece]) for piece in pieces])]


def _many_entries(post: Writer, pieces: list[Piece]) -> list[Value]:
    """The first entry holds half of the pieces in one change, each further entry one piece."""
    half = (len(pieces) + 1) // 2
    first = post.entry([post.change(pieces[:half])])
    return [first, *(post.entry([post.change([piece])]) for piece in pieces[half:])]


def as_meta_writes(body: Value) -> bytes:
    """Escaped Unicode and escaped slashes: the signature holds over these bytes and no others."""
    return json.dumps(body, separators=(",", ":")).replace("/", "\\/").encode()


def signed(body: bytes, app_secret: str) -> dict[str, str]:
    """The headers of a webhook."""
    key = app_secret.encode()
    return {
        "Content-Type": "application/json",
        "User-Agent": "facebookexternalua",
        "X-Hub-Signature": "sha1=" + hmac.new(key, body, hashlib.sha1).hexdigest(),
        "X-Hub-Signature-256": "sha256=" + hmac.new(key, body, hashlib.sha256).hexdigest(),
    }


async def confirm(url: str, verify_token: str, challenge: str) -> None:
    """Asks the address whether it wants webhooks. Raises GraphError 2200 unless it answers with the challenge."""
    query = {"hub.mode": "subscribe", "hub.challenge": challenge, "hub.verify_token": verify_token}
    try:
        async with httpx.AsyncClient(timeout=ANSWER_S, trust_env=False) as client:
            answer = await client.get(url, params=query)
    except httpx.HTTPError as problem:
        raise _unconfirmed(type(problem).__name__) from problem
    if answer.status_code != 200:
        raise _unconfirmed(f"HTTP Status Code = {answer.status_code}")
    if answer.text != challenge:
        raise _unconfirmed("the response does not match the challenge")


def _unconfirmed(why: str) -> GraphError:
    message = f"(#2200) Callback verification failed with the following errors: {why}"
    return GraphError(2200, message=message)
