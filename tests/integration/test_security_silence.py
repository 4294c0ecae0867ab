"""What people say and what opens doors stands in no log, no error and no figure, whichever way things go wrong."""

from __future__ import annotations

import hashlib
import hmac
import io
import json
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from secrets import token_hex
from typing import Any

import httpx
import pytest
from pydantic import SecretStr
from websockets.asyncio.client import connect
from websockets.exceptions import WebSocketException

from core.errors import OutcomeUnknown, PlatformAway, Refused, Unreachable
from core.logging import configure_logging
from core.queue import Queue
from core.settings import Settings
from db.sessions import Database
from tests.helpers import rows, shared_metrics
from tests.platforms import Platform, due_now, make_office
from tests.unit.test_logging import as_before
from tests.web import served
from worker.courier import Courier

__all__ = ["as_before"]

WORD, ARABIC, NAME = "canary-word-7f3a", "كلمتي السرية جدا", "Canary Person-91c"
POISON = "poison"
"""The database refuses it, as it would by a bug of ours."""
SAID = f"{WORD} {ARABIC}"
SECRETS = {
    "api_key": "canary-api-key-1",
    "admin_key": "canary-admin-key-2",
    "telegram_token": "123456789:AAcanary-telegram-3",
    "telegram_webhook_secret": "canary-hook-secret-4",
    "whatsapp_token": "EAAcanary-whatsapp-5",
    "whatsapp_app_secret": "canary-app-secret-6",
    "whatsapp_verify_token": "canary-verify-7",
    "hub_token": "hf_canary-hub-8",
}
HIDDEN = (WORD, ARABIC, ARABIC.split()[1], NAME, *SECRETS.values())


@dataclass
class World:
    """A web process whose log is read, and what it answered."""

    url: str
    settings: Settings
    log: io.StringIO
    database: Database
    client: httpx.AsyncClient
    refusals: list[str] = field(default_factory=list)

    async def ask(self, method: str, path: str, *, key: str | None = SECRETS["api_key"], **what: Any) -> int:
        """The status; what is refused is kept."""
        headers = {"X-API-Key": key} if key else {}
        response = await self.client.request(method, path, headers=headers | what.pop("headers", {}), **what)
        if response.status_code >= 400:
            self.refusals.append(response.text)
        return response.status_code


@pytest.fixture
async def world(
    database: Database, migrated_url: str, redis_url: str, tmp_path: Path, as_before: None
) -> AsyncIterator[World]:
    statement = f"ALTER TABLE turns ADD CONSTRAINT canary CHECK (input_text NOT LIKE '%{POISON}%')"
    async with database.begin() as connection:
        await connection.exec_driver_sql(statement)
    away = "http://127.0.0.1:9"
    given: dict[str, Any] = {
        **SECRETS,
        "database_url": migrated_url,
        "redis_url": redis_url,
        "data_dir": tmp_path,
        "port": 0,
        "public_url": "https://talk.example",
        "telegram_api_url": away,
        "whatsapp_api_url": away,
        "whatsapp_phone_id": "111",
    }
    settings, log = Settings.model_validate(given), io.StringIO()
    assert {name for name in Settings.model_fields if isinstance(getattr(settings, name), SecretStr)} == set(SECRETS)
    configure_logging("bot", settings, log)
    with served(settings) as url:
        async with httpx.AsyncClient(base_url=url, trust_env=False) as client:
            yield World(url, settings, log, database, client)
    async with database.begin() as connection:
        await connection.exec_driver_sql("ALTER TABLE turns DROP CONSTRAINT canary")


async def on_the_page(world: World) -> None:
    """Good and bad messages, keys, links and sockets."""
    for body in (
        {"text": SAID},
        {"text": f"{SAID} {POISON}"},
        {"text": SAID * 400},
        {"text": f"{SAID}\x00"},
        {"text": [SAID]},
        {"text": "hi", "avatar": WORD},
        {"text": "hi", "voice": ARABIC},
        {"text": "hi", "language": WORD},
        {"text": "hi", "modes": [WORD]},
        {"text": "hi", "conversation_id": SAID},
        {"text": f"/export {SAID}"},
    ):
        await world.ask("POST", "/api/v1/messages", json=body)
    for content in (f'{{"text": "{SAID}"', f'["{SAID}"]', f'"{SAID}"'):
        headers = {"Content-Type": "application/json"}
        await world.ask("POST", "/api/v1/messages", content=content.encode(), headers=headers)
    for text in (SAID, f"another {SAID}"):
        headers = {"Idempotency-Key": f"{WORD}-{token_hex(1) if text == SAID else 'x'}-0123456789"}
        await world.ask("POST", "/api/v1/messages", json={"text": text}, headers=headers)
    noise = {"audio": (NAME, f"{SAID} is no sound".encode())}
    await world.ask("POST", "/api/v1/messages", files=noise, data={"language": WORD})
    await world.ask("POST", "/api/v1/messages", files={"note": (NAME, b"\xff" * 70_000)})
    await world.ask("GET", f"/api/v1/turns/{WORD}")
    await world.ask("GET", f"/api/v1/media/{WORD}.mp4?expires=9&signature={WORD}")
    await world.ask("GET", f"/{WORD}", headers={"X-Request-ID": "r-1"})
    for key in (WORD, SECRETS["admin_key"][:-1]):
        await world.ask("GET", "/api/v1/avatars", key=key)
        await world.ask("POST", "/api/v1/voices", key=key)


async def by_sockets(world: World) -> None:
    """A browser's socket has its key in the address."""
    address = f"{world.url.replace('http', 'ws', 1)}/api/v1/ws/some-conversation"
    for key in (SECRETS["api_key"], WORD):
        with suppress(WebSocketException):
            async with connect(f"{address}?api_key={key}", proxy=None) as page:
                await page.recv()


async def by_administrators(world: World) -> None:
    admin = SECRETS["admin_key"]
    recording = {"audio": (NAME, b"RIFF no sound")}
    for data in ({"name": NAME}, {"name": NAME, "consent": "yes", "transcript": SAID}, {"to": WORD, "consent": "yes"}):
        await world.ask("POST", "/api/v1/voices", key=admin, files=recording, data=data)
    await world.ask("POST", "/api/v1/avatars", key=admin, files={"photo": (NAME, SAID.encode())}, data={"name": NAME})
    await world.ask("DELETE", f"/api/v1/avatars/{WORD}", key=admin)
    await world.ask("GET", f"/api/v1/tasks/{WORD}", key=admin)


def update(said: Any) -> bytes:
    person = {"id": 7, "type": "private", "is_bot": False, "first_name": NAME}
    message = {"message_id": 1, "text": said, "from": person, "chat": person, "date": 1}
    return json.dumps({"update_id": int(token_hex(3), 16), "message": message}).encode()


def webhook(said: Any) -> bytes:
    message = {"from": "966501", "id": token_hex(8), "timestamp": "1", "type": "text", "text": {"body": said}}
    people = [{"wa_id": "966501", "profile": {"name": NAME}}]
    value = {"metadata": {"phone_number_id": "111"}, "contacts": people, "messages": [message]}
    body = {"object": "whatsapp_business_account", "entry": [{"changes": [{"value": value, "field": "messages"}]}]}
    return json.dumps(body).encode()


async def by_webhooks(world: World) -> None:
    """What is right, what is broken, what the database refuses, and what is signed by somebody else."""
    names = {"telegram": ("X-Telegram-Bot-Api-Secret-Token", update), "whatsapp": ("X-Hub-Signature-256", webhook)}
    for channel, (name, made) in names.items():
        for said in (SAID, f"{SAID} {POISON}", f"/admin {SAID}", f"/{WORD} {ARABIC}", {"a": SAID}, SAID * 500):
            for body in (made(said), made(said)[:-2]):
                signature = hmac.new(SECRETS["whatsapp_app_secret"].encode(), body, hashlib.sha256).hexdigest()
                right = SECRETS["telegram_webhook_secret"] if channel == "telegram" else f"sha256={signature}"
                for value in (right, WORD, f"{right}0"):
                    headers = {name: value}
                    await world.ask("POST", f"/webhooks/{channel}", key=None, content=body, headers=headers)
    for token in (SECRETS["whatsapp_verify_token"], WORD):
        query = {"hub.mode": "subscribe", "hub.verify_token": token, "hub.challenge": "1"}
        await world.ask("GET", "/webhooks/whatsapp", key=None, params=query)


async def by_the_courier(world: World, queue: Queue) -> None:
    """Platforms fail with errors that quote what was sent, and to whom, and with what."""
    loud = f"could not send {SAID} to {NAME} with {SECRETS['telegram_token']}"
    errors = [
        RuntimeError(loud),
        ValueError(loud),
        Refused(loud),
        PlatformAway(loud),
        OutcomeUnknown(loud),
        Unreachable(loud),
    ]
    platform = Platform("telegram", errors=[*errors])
    office, _ = make_office(world.database, queue, world.settings.data_dir, platform, Platform("whatsapp"))
    courier = Courier(office, shared_metrics(), "host:courier-0")
    found = await rows(world.database, "SELECT DISTINCT conversation_id FROM outbox")
    for _ in errors:
        await due_now(world.database)
        for row in found:
            await courier.send({}, str(row["conversation_id"]))
    assert len(platform.errors) < len(errors) - 2


COLUMNS = {
    "turns": ("error", "steps", "engines"),
    "outbox": ("error",),
    "tasks": ("error",),
    "inbox": ("payload",),
    "audit": ("actor", "act", "target"),
}


async def test_neither_words_nor_secrets_are_told(world: World, queue: Queue) -> None:
    await on_the_page(world)
    await by_sockets(world)
    await by_administrators(world)
    await by_webhooks(world)
    await by_the_courier(world, queue)
    told = world.log.getvalue()
    events = {json.loads(line)["event"] for line in told.splitlines()}
    assert {"a request failed", "event_failed", "webhook_unreadable", "telegram_wrong_secret", "channel_bug"} <= events
    metrics = (await world.client.get("/metrics", headers={"X-API-Key": SECRETS["api_key"]})).text
    kept = {
        f"{table}.{column}": json.dumps(await rows(world.database, f"SELECT {column} FROM {table}"), default=str)
        for table, columns in COLUMNS.items()
        for column in columns
    }
    assert "smarttalker" in metrics
    assert len(world.refusals) > 40
    for where, text in {"log": told, "metrics": metrics, "refusals": "\n".join(world.refusals), **kept}.items():
        for hidden in HIDDEN:
            for shape in {hidden, json.dumps(hidden)[1:-1]}:
                place = text.find(shape)
                assert place < 0, f"{where}: {text[max(0, place - 300) : place + 100]}"
