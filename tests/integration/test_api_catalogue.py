"""Avatars and voices over real HTTP: begun, worked on, there, removed."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from core.i18n import t
from core.queue import Queue
from core.settings import Settings
from db.migrate import upgrade
from db.sessions import Database
from tests import photos
from tests.helpers import rows
from tests.platforms import make_office
from tests.spoken import recorded, spoken
from tests.web import keyed
from worker.adding.avatar import MAX_PHOTO_BYTES
from worker.engines.tts.espeak.engine import Espeak
from worker.tasking import Tasking

ADMIN = {"X-API-Key": "b0ss"}


@pytest.fixture(scope="module")
def settings(database_url: str, redis_url: str, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    upgrade(database_url)
    return keyed(database_url, redis_url, tmp_path_factory.mktemp("data"))


@pytest.fixture
async def client(base_url: str) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=f"{base_url}/api/v1", timeout=30, headers=ADMIN) as client:
        yield client


@pytest.fixture
async def database(settings: Settings) -> AsyncIterator[Database]:
    database = Database(settings.database_url)
    await rows(database, "WITH a AS (DELETE FROM audit), b AS (DELETE FROM tasks) DELETE FROM switches RETURNING 1")
    yield database
    await database.close()


@pytest.fixture(scope="module")
def photo(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return photos.saved(photos.portrait("sara"), tmp_path_factory.mktemp("photo") / "a.jpg").read_bytes()


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    engine = Espeak()
    engine.load()
    try:
        return recorded(spoken(engine, "en"), tmp_path_factory.mktemp("voice") / "a.ogg").read_bytes()
    finally:
        engine.unload()


def error_of(response: httpx.Response, status: int) -> tuple[str, str]:
    assert response.status_code == status, response.text
    error = response.json()["error"]
    return error["code"], error["message"]


def uploads(settings: Settings) -> list[Path]:
    return [path for path in settings.media_dir.rglob("*") if path.is_file()]


async def work(settings: Settings, database: Database, queue: Queue) -> None:
    office, _ = make_office(database, queue, settings.data_dir)
    await Tasking(office, "test").task({}, "any")


async def task_of(client: httpx.AsyncClient, number: int, **headers: str) -> dict[str, Any]:
    response = await client.get(f"/tasks/{number}", headers=headers)
    assert response.status_code == 200, response.text
    found: dict[str, Any] = response.json()
    return found


async def test_a_photo_becomes_an_avatar_and_goes_again(
    client: httpx.AsyncClient, settings: Settings, database: Database, queue: Queue, photo: bytes
) -> None:
    sent = await client.post(
        "/avatars", data={"name": "Mona", "name_ar": "منى", "voice": "omar"}, files={"photo": ("a.jpg", photo)}
    )
    assert sent.status_code == 202, sent.text
    begun = sent.json()
    assert begun["id"] == "mona"
    assert (await task_of(client, begun["task_id"]))["state"] == "queued"
    await work(settings, database, queue)
    task = await task_of(client, begun["task_id"])
    assert (task["kind"], task["act"], task["id"], task["state"]) == ("avatar", "add", "mona", "done")
    assert task["error"] is None
    listed = {avatar["id"]: avatar for avatar in (await client.get("/avatars")).json()["avatars"]}
    assert (listed["mona"]["name"], listed["mona"]["voice"]) == ({"ar": "منى", "en": "Mona"}, "omar")
    assert (await client.get("/avatars/mona/portrait")).headers["content-type"] == "image/png"
    assert uploads(settings) == []
    gone = await client.delete("/avatars/mona")
    assert gone.status_code == 202
    await work(settings, database, queue)
    assert (await task_of(client, gone.json()["task_id"]))["state"] == "done"
    assert "mona" not in {avatar["id"] for avatar in (await client.get("/avatars")).json()["avatars"]}
    assert error_of(await client.delete("/avatars/mona"), 404)[0] == "not_found"
    audit = await rows(database, "SELECT actor, act, target FROM audit ORDER BY id")
    assert [tuple(row.values()) for row in audit] == [
        ("api", act, "mona") for act in ("avatar-add", "avatar-added", "avatar-remove", "avatar-removed")
    ]


async def test_a_recording_becomes_a_voice_with_consent(
    client: httpx.AsyncClient, settings: Settings, database: Database, queue: Queue, recording: bytes
) -> None:
    form = {"name": "نور / Noor", "consent": "yes"}
    sent = await client.post("/voices", data=form, files={"audio": ("a.ogg", recording)})
    assert sent.status_code == 202, sent.text
    await work(settings, database, queue)
    assert (await task_of(client, sent.json()["task_id"]))["state"] == "done"
    assert "noor" in {voice["id"] for voice in (await client.get("/voices")).json()["voices"]}
    (consent,) = await rows(database, "SELECT * FROM audit WHERE act = 'voice-consent'")
    assert (consent["actor"], consent["details"]["words"]) == ("api", t("admin-consent-words", "en"))
    assert uploads(settings) == []
    assert (await client.delete("/voices/noor")).status_code == 202
    await work(settings, database, queue)
    assert "noor" not in {voice["id"] for voice in (await client.get("/voices")).json()["voices"]}


@pytest.mark.parametrize("consent", [None, "", "no", "YES", "true"])
async def test_a_voice_without_consent_is_refused_with_the_words(
    client: httpx.AsyncClient, settings: Settings, database: Database, recording: bytes, consent: str | None
) -> None:
    form = {"name": "Noor", **({} if consent is None else {"consent": consent})}
    response = await client.post("/voices", data=form, files={"audio": ("a.ogg", recording)})
    code, message = error_of(response, 422)
    assert code == "invalid_input"
    assert "consent=yes" in message
    assert t("admin-consent-words", "en") in message
    assert await rows(database, "SELECT * FROM tasks") == []
    assert uploads(settings) == []


async def test_a_photo_that_will_not_do_is_told_by_its_task(
    client: httpx.AsyncClient, settings: Settings, database: Database, queue: Queue
) -> None:
    sent = await client.post("/avatars", data={"name": "Mona"}, files={"photo": ("a.jpg", b"no picture")})
    await work(settings, database, queue)
    for language in ("ar", "en"):
        task = await task_of(client, sent.json()["task_id"], **{"Accept-Language": language})
        assert task["state"] == "failed"
        assert task["error"] == {"code": "photo_invalid", "message": t("error-photo-not-picture", language)}
    assert uploads(settings) == []


@pytest.mark.parametrize(
    ("form", "file", "status", "told"),
    [
        ({"name": "Mona"}, {}, 415, "photo"),
        ({"name": "Mona"}, {"audio": b"x"}, 422, "photo"),
        ({}, {"photo": b"x"}, 422, "name"),
        ({"name": "  "}, {"photo": b"x"}, 422, "name"),
        ({"name": 'a"b'}, {"photo": b"x"}, 422, "name"),
        ({"name": "12"}, {"photo": b"x"}, 422, "name"),
        ({"name": "Mona", "voice": "nobody"}, {"photo": b"x"}, 404, "voice"),
        ({"name": "Mona", "voice": "../x"}, {"photo": b"x"}, 404, "voice"),
    ],
)
async def test_what_is_wrong_with_a_form_is_told(
    client: httpx.AsyncClient,
    settings: Settings,
    database: Database,
    form: dict[str, str],
    file: dict[str, bytes],
    status: int,
    told: str,
) -> None:
    sent = {name: ("a", data) for name, data in file.items()}
    response = await client.post("/avatars", data=form, files=sent or None)
    assert told in error_of(response, status)[1]
    assert await rows(database, "SELECT * FROM tasks") == []
    assert uploads(settings) == []


async def test_a_photo_that_is_too_large_is_refused_before_it_is_read(
    base_url: str, client: httpx.AsyncClient, settings: Settings
) -> None:
    host, port = base_url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(
        b"POST /api/v1/avatars HTTP/1.1\r\nHost: 127.0.0.1\r\nX-API-Key: b0ss\r\n"
        b"Content-Type: multipart/form-data; boundary=b\r\nContent-Length: 999999999\r\n\r\n"
    )
    assert b" 413 " in await asyncio.wait_for(reader.readline(), 5)
    writer.close()
    huge = await client.post("/avatars", data={"name": "Mona"}, files={"photo": ("a.jpg", bytes(MAX_PHOTO_BYTES + 1))})
    assert "20 MB" in error_of(huge, 413)[1]
    assert uploads(settings) == []


@pytest.mark.parametrize("headers", [{"X-API-Key": "s3cret"}, {"X-API-Key": "wrong"}])
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/avatars"),
        ("POST", "/voices"),
        ("DELETE", "/avatars/layla"),
        ("DELETE", "/voices/layla"),
        ("GET", "/tasks/1"),
    ],
)
async def test_all_of_it_needs_the_admin_key(
    client: httpx.AsyncClient, headers: dict[str, str], method: str, path: str
) -> None:
    assert error_of(await client.request(method, path, headers=headers), 403)[0] == "forbidden"


@pytest.mark.parametrize("kind", ["avatars", "voices"])
async def test_what_is_shipped_stays(client: httpx.AsyncClient, kind: str) -> None:
    assert error_of(await client.delete(f"/{kind}/layla"), 403)[0] == "forbidden"


@pytest.mark.parametrize("path", ["/avatars/nobody", "/avatars/..%2fx", "/voices/nobody"])
async def test_what_is_not_there_can_t_be_removed(client: httpx.AsyncClient, path: str) -> None:
    assert error_of(await client.delete(path), 404)[0] == "not_found"


@pytest.mark.parametrize("number", ["0", "99999999", "x", "-1", "9" * 30, "١"])
async def test_an_unknown_task_is_not_found(client: httpx.AsyncClient, number: str) -> None:
    assert error_of(await client.get(f"/tasks/{number}"), 404)[0] == "not_found"


async def test_a_task_of_another_kind_is_nobodys_business(client: httpx.AsyncClient, database: Database) -> None:
    added = "INSERT INTO tasks (kind, worker, dedupe_key, payload) VALUES ('export', 'courier', 'k', '{}') RETURNING id"
    (row,) = await rows(database, added)
    assert error_of(await client.get(f"/tasks/{row['id']}"), 404)[0] == "not_found"


async def test_the_default_is_the_administrators(client: httpx.AsyncClient, database: Database) -> None:
    switched = "INSERT INTO switches (name, value) VALUES ('default_avatar', CAST(:value AS jsonb)) RETURNING name"
    await rows(database, switched, value=json.dumps({"value": "omar"}))
    assert (await client.get("/avatars")).json()["default"] == "omar"
