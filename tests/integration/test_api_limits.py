"""What a client hears that comes too often, or when everybody does."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from core.i18n import t
from core.settings import Settings
from db.sessions import Database
from tests.helpers import post, rows
from tests.recordings import record

OPEN, QUEUE = 2, 4
MESSAGES = "/api/v1/messages"


@pytest.fixture(scope="module")
def settings(migrated_url: str, redis_url: str, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return Settings(
        _env_file=None,
        database_url=migrated_url,
        redis_url=redis_url,
        data_dir=tmp_path_factory.mktemp("data"),
        port=0,
        user_open=OPEN,
        queue_limit=QUEUE,
    )


@pytest.fixture
async def client(base_url: str) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=base_url, timeout=30, headers={"Accept-Language": "en"}) as client:
        yield client


async def test_a_conversation_with_enough_open_is_told_to_wait(client: httpx.AsyncClient, database: Database) -> None:
    first = (await client.post(MESSAGES, json={"text": "one"})).json()
    more = {"text": "more", "conversation_id": first["conversation_id"]}
    key = {"Idempotency-Key": "the same"}
    answers = [await client.post(MESSAGES, json=more, headers=key) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [202, 202]
    refused = await client.post(MESSAGES, json=more, headers={"Idempotency-Key": "another"})
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "30")
    assert refused.json()["error"]["code"] == "too_many_open"
    assert refused.json()["error"]["message"] == t("error-too-many-open", "en", number=OPEN)
    await rows(database, "UPDATE turns SET state = 'done' RETURNING id")
    assert (await client.post(MESSAGES, json=more, headers={"Idempotency-Key": "another"})).status_code == 202
    assert len(await rows(database, "SELECT id FROM turns")) == 3


async def test_when_the_queue_is_full_nothing_is_stored(
    client: httpx.AsyncClient, database: Database, settings: Settings, tmp_path: Path
) -> None:
    for _ in range(QUEUE):
        await post(database)
    text = await client.post(MESSAGES, json={"text": "مرحبا", "language": "ar"})
    assert (text.status_code, text.headers["retry-after"]) == (503, "30")
    assert text.json()["error"]["code"] == "queue_full"
    assert text.json()["error"]["message"] == t("error-queue-full", "ar")
    record(path := tmp_path / "note.ogg")
    spoken = await client.post(MESSAGES, files={"audio": ("note.ogg", path.read_bytes(), "audio/ogg")})
    assert (spoken.status_code, spoken.json()["error"]["code"]) == (503, "queue_full")
    assert list(settings.media_dir.glob("*")) == []
    assert len(await rows(database, "SELECT id FROM inbox")) == QUEUE
    assert 'smarttalker_refused_total{channel="web",reason="queue_full"} 2.0' in (await client.get("/metrics")).text


async def test_many_at_once_meet_the_same_cap(client: httpx.AsyncClient, database: Database) -> None:
    first = (await client.post(MESSAGES, json={"text": "one"})).json()
    more = {"text": "more", "conversation_id": first["conversation_id"]}
    answers = await asyncio.gather(*(client.post(MESSAGES, json=more) for _ in range(10)))
    assert sorted(answer.status_code for answer in answers) == [202] + 9 * [429]


async def test_the_description_names_both(client: httpx.AsyncClient) -> None:
    described = (await client.get("/openapi.json")).json()["paths"][MESSAGES]["post"]["responses"]
    assert "too_many_open" in described["429"]["description"]
    assert "queue_full" in described["503"]["description"]
