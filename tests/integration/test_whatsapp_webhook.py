"""The webhook's door: the challenge, signatures, sizes, and what becomes of a body."""

from __future__ import annotations

import hashlib
import hmac
import io
import json
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from bot.channels.base import Surroundings
from bot.channels.whatsapp.receive import MAX_BODY, PATH, Receiver
from core.errors import ConfigurationError, DatabaseUnavailable
from core.logging import configure_logging
from core.messages import Event, Inbound
from core.queue import Queue
from core.settings import Settings
from core.storage import Storage
from simulators.serving import served
from tests.unit.test_logging import as_before

__all__ = ["as_before"]

SECRET, VERIFY, TOKEN = "app-secret-9", "verify-9", "EAAGsecrettoken9"


def settings(tmp_path: Path, **values: Any) -> Settings:
    given = {
        "whatsapp_phone_id": "111",
        "whatsapp_token": TOKEN,
        "whatsapp_app_secret": SECRET,
        "whatsapp_verify_token": VERIFY,
        "data_dir": tmp_path,
    }
    return Settings.model_validate({**given, **values})


def surroundings(settings: Settings) -> Surroundings:
    return Surroundings(settings, Queue.lazy("redis://127.0.0.1:1"), Storage(settings.media_dir))


@dataclass
class Door:
    """The route's base URL and what came through it. errors: what storing raises, the next first."""

    url: str = ""
    taken: list[Event] = field(default_factory=list)
    errors: list[Exception] = field(default_factory=list)

    async def take(self, events: Sequence[Event]) -> None:
        if self.errors:
            raise self.errors.pop(0)
        self.taken += events

    def post(self, body: bytes, headers: dict[str, str] | None = None) -> httpx.Response:
        return httpx.post(self.url + PATH, content=body, headers=signed(body) if headers is None else headers)


def signed(body: bytes, secret: str = SECRET) -> dict[str, str]:
    return {"X-Hub-Signature-256": "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()}


def text(said: str = "مرحبا", *, number: str = "111", id: str = "wamid.1") -> bytes:
    message = {"from": "966501", "id": id, "timestamp": "1", "type": "text", "text": {"body": said}}
    value = {"metadata": {"phone_number_id": number}, "messages": [message]}
    body = {"object": "whatsapp_business_account", "entry": [{"changes": [{"value": value, "field": "messages"}]}]}
    return json.dumps(body).encode()


@pytest.fixture
def door(tmp_path: Path) -> Iterator[Door]:
    door, app = Door(), FastAPI()
    app.include_router(Receiver(surroundings(settings(tmp_path))).routes(door.take))
    with served(app) as door.url:
        yield door


@pytest.mark.parametrize("missing", ["whatsapp_app_secret", "whatsapp_verify_token"])
def test_without_its_secrets_it_refuses_to_start(tmp_path: Path, missing: str) -> None:
    with pytest.raises(ConfigurationError):
        Receiver(surroundings(settings(tmp_path, **{missing: None})))


def test_the_challenge_is_echoed(door: Door) -> None:
    query = {"hub.mode": "subscribe", "hub.verify_token": VERIFY, "hub.challenge": "1158201444"}
    answer = httpx.get(door.url + PATH, params=query)
    assert (answer.status_code, answer.text) == (200, "1158201444")
    assert answer.headers["content-type"].startswith("text/plain")


@pytest.mark.parametrize(
    "query",
    [
        {},
        {"hub.mode": "subscribe", "hub.challenge": "1"},
        {"hub.mode": "subscribe", "hub.verify_token": "wrong", "hub.challenge": "1"},
        {"hub.mode": "subscribe", "hub.verify_token": "é" + VERIFY, "hub.challenge": "1"},
        {"hub.mode": "unsubscribe", "hub.verify_token": VERIFY, "hub.challenge": "1"},
    ],
)
def test_a_wrong_challenge_is_refused(door: Door, query: dict[str, str]) -> None:
    answer = httpx.get(door.url + PATH, params=query)
    assert (answer.status_code, answer.text) == (403, "")


def test_what_is_signed_is_taken(door: Door) -> None:
    assert door.post(text()).status_code == 200
    (event,) = door.taken
    assert isinstance(event, Inbound)
    assert event.text == "مرحبا"


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 401),
        ({"X-Hub-Signature-256": "nonsense"}, 401),
        ({"X-Hub-Signature": "sha1=" + "a" * 40}, 401),
        ({"X-Hub-Signature-256": "sha256=" + "a" * 64}, 403),
        (signed(text(), "another secret"), 403),
        (signed(text() + b" "), 403),
    ],
)
def test_what_is_not_is_refused(door: Door, headers: dict[str, str], status: int) -> None:
    assert door.post(text(), headers).status_code == status
    assert door.taken == []


def test_the_signature_is_over_the_bytes_as_they_came(door: Door) -> None:
    body = text().replace(b'"text"', b'"te\\u0078t"').replace(b"/", b"\\/") + b"\n "
    assert door.post(body).status_code == 200
    assert len(door.taken) == 1


@pytest.mark.parametrize(
    "body", [b"", b"{", b"\xff\xfe", b"[" * 200_000, b'{"object": 1' + b"0" * 6000 + b"}", b"null"]
)
def test_what_can_not_be_read_is_not_asked_for_again(door: Door, body: bytes) -> None:
    assert door.post(body).status_code == 200
    assert door.taken == []


def test_another_numbers_messages_are_not_ours(door: Door) -> None:
    assert door.post(text(number="222")).status_code == 200
    assert door.taken == []


async def pieces(count: int) -> AsyncIterator[bytes]:
    for _ in range(count):
        yield b" " * 65_536


async def test_a_body_is_bounded(door: Door) -> None:
    headers = {"X-Hub-Signature-256": "sha256=" + "a" * 64}
    async with httpx.AsyncClient(base_url=door.url) as client:
        assert (await client.post(PATH, content=b" " * (MAX_BODY + 1), headers=headers)).status_code == 413
        assert (await client.post(PATH, content=pieces(60), headers=headers)).status_code == 413
    padded = text() + b" " * (MAX_BODY - len(text()))
    assert door.post(padded).status_code == 200
    assert len(door.taken) == 1


@pytest.mark.parametrize("error", [DatabaseUnavailable(), RuntimeError("a bug")])
def test_what_was_not_stored_is_asked_for_again(door: Door, error: Exception) -> None:
    door.errors.append(error)
    answer = door.post(text())
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    assert door.post(text()).status_code == 200
    assert len(door.taken) == 1


@pytest.mark.usefixtures("as_before")
def test_no_words_and_no_secrets_are_logged(door: Door, tmp_path: Path) -> None:
    stream = io.StringIO()
    configure_logging("bot", settings(tmp_path), stream)
    door.errors.append(RuntimeError("secret words"))
    for body in (text("secret words"), text("secret words", number="222"), b'{"secret words', text("secret words")):
        door.post(body)
    door.post(text("secret words"), {})
    door.post(text("secret words"), signed(b"other"))
    lines = stream.getvalue()
    assert "webhook_unsigned" in lines
    assert all(hidden not in lines for hidden in ("secret words", SECRET, TOKEN, VERIFY))
