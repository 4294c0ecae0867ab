"""Avatars and voices over real HTTP: begun, worked on, there, removed."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from core.catalogue import Catalogue
from core.i18n import t
from core.queue import Queue
from core.settings import Settings
from db.migrate import upgrade
from db.sessions import Database
from tests import photos
from tests.helpers import rows
from tests.platforms import make_office
from tests.spoken import TEXTS, recorded, spoken
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


@pytest.mark.parametrize("content", [b"\xff", b"a" * 70_000, b"a"])
async def test_a_file_under_another_name_is_told(client: httpx.AsyncClient, settings: Settings, content: bytes) -> None:
    form = {"name": "Mona", "consent": "yes"}
    sent = await client.post("/voices", data=form, files={"file": ("a.ogg", content)})
    code, said = error_of(sent, 422)
    assert (code, "audio" in said) == ("invalid_input", True)
    assert uploads(settings) == []


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


async def test_a_voice_has_recordings_in_several_languages(
    client: httpx.AsyncClient, settings: Settings, database: Database, queue: Queue, recording: bytes
) -> None:
    form = {"name": "Huda", "consent": "yes", "language": "en", "transcript": TEXTS["en"]}
    first = await client.post("/voices", data=form, files={"audio": ("a.ogg", recording)})
    await work(settings, database, queue)
    task = await task_of(client, first.json()["task_id"])
    assert (task["act"], task["state"], task["notes"]) == ("add", "done", [t("voice-note-short", "en")])
    more = {"to": "huda", "consent": "yes", "language": "ar"}
    second = await client.post("/voices", data=more, files={"audio": ("a.ogg", recording)})
    assert (second.status_code, second.json()["id"]) == (202, "huda")
    await work(settings, database, queue)
    task = await task_of(client, second.json()["task_id"], **{"Accept-Language": "ar"})
    assert (task["act"], task["state"], task["notes"]) == ("extend", "done", [t("voice-note-short", "ar")])
    (listed,) = (voice for voice in (await client.get("/voices")).json()["voices"] if voice["id"] == "huda")
    assert listed["languages"] == ["ar", "en"]
    voice = Catalogue(settings.data_dir).voice("huda")
    assert (voice.references["en"].transcript, voice.references["ar"].transcript) == (TEXTS["en"], None)
    acts = await rows(database, "SELECT act FROM audit WHERE target = 'huda' ORDER BY id")
    begun = ["voice-consent", "voice-add", "voice-added", "voice-consent", "voice-extend", "voice-extended"]
    assert [row["act"] for row in acts] == begun
    await removed(client, settings, database, queue, "huda")


async def test_removal_leaves_neither_the_recording_nor_its_words_anywhere(
    client: httpx.AsyncClient, settings: Settings, database: Database, queue: Queue, recording: bytes
) -> None:
    form = {"name": "Rana", "consent": "yes", "language": "en", "transcript": TEXTS["en"]}
    await client.post("/voices", data=form, files={"audio": ("a.ogg", recording)})
    await work(settings, database, queue)
    clip = Catalogue(settings.data_dir).voice("rana").references["en"].clip
    sound, name = clip.read_bytes()[4000:8000], clip.name
    bad = await client.post(
        "/voices", data={"to": "rana", "consent": "yes", "transcript": "No."}, files={"audio": ("a.ogg", recording)}
    )
    await work(settings, database, queue)
    failed = await task_of(client, bad.json()["task_id"])
    assert failed["error"]["message"] == t("error-voice-transcript-unfit", "en")
    assert kept(settings.data_dir, sound) == [clip]
    await removed(client, settings, database, queue, "rana")
    for text in (sound, recording[2000:4000], TEXTS["en"].encode()):
        assert kept(settings.data_dir, text) == []
    found = await told_of(database)
    assert '"rana"' in found
    for text in ("Rana", TEXTS["en"], name, "upload", t("admin-consent-words", "en")):
        assert text not in found
    assert [row["act"] for row in await rows(database, "SELECT act FROM audit ORDER BY id")][-2:] == [
        "voice-remove",
        "voice-removed",
    ]


async def removed(client: httpx.AsyncClient, settings: Settings, database: Database, queue: Queue, voice: str) -> None:
    assert (await client.delete(f"/voices/{voice}")).status_code == 202
    await work(settings, database, queue)


def kept(folder: Path, data: bytes) -> list[Path]:
    """The files that hold the bytes."""
    return [path for path in folder.rglob("*") if path.is_file() and data in path.read_bytes()]


async def told_of(database: Database) -> str:
    """Every row of every table, as text."""
    tables = await rows(
        database, "SELECT table_name AS name FROM information_schema.tables WHERE table_schema = 'public'"
    )
    parts = [await rows(database, f'SELECT to_jsonb(r)::text AS row FROM "{table["name"]}" r') for table in tables]
    return "\n".join(row["row"] for part in parts for row in part)


@pytest.mark.parametrize(
    ("fields", "status", "sentence"),
    [
        ({"name": "X", "language": "arabic"}, 422, "error-voice-language"),
        ({"name": "X", "transcript": "word " * 200}, 422, "error-voice-transcript"),
        ({"to": "layla"}, 403, "error-voice-shipped-recording"),
        ({"to": "nobody"}, 404, "error-no-voice"),
        ({"to": "../x"}, 404, "error-no-voice"),
    ],
)
async def test_what_is_wrong_about_a_recording_is_told_at_once(
    client: httpx.AsyncClient, settings: Settings, recording: bytes, fields: dict[str, str], status: int, sentence: str
) -> None:
    response = await client.post("/voices", data=fields | {"consent": "yes"}, files={"audio": ("a.ogg", recording)})
    assert error_of(response, status)[1] == t(sentence, "en")
    assert uploads(settings) == []


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
