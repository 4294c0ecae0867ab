"""Idle loops over real HTTP: asked for, made once, served, replaced with their avatar, gone with it."""

from __future__ import annotations

import asyncio
import io
import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import av
import httpx
import pytest

from core.catalogue import Catalogue
from core.errors import VideoError
from core.idling import loop_of
from core.queue import Queue
from core.settings import HOME, Settings
from db.sessions import Database
from tests import photos
from tests.helpers import rows
from tests.platforms import make_office, rung
from tests.web import keyed
from worker.tasking import Tasking


@pytest.fixture(scope="module")
def settings(migrated_url: str, redis_url: str, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return keyed(migrated_url, redis_url, tmp_path_factory.mktemp("data"))


@pytest.fixture
async def client(base_url: str) -> AsyncIterator[httpx.AsyncClient]:
    """Without any key: a <video> can send none."""
    async with httpx.AsyncClient(base_url=f"{base_url}/api/v1", timeout=30) as client:
        yield client


@pytest.fixture
def avatar(settings: Settings) -> Iterator[str]:
    """One of an administrator's own, whose files may be replaced."""
    folder = settings.data_dir / "avatars" / "nour"
    folder.mkdir(parents=True)
    for path in (HOME / "avatars" / "omar").iterdir():
        if path.is_file():
            shutil.copy(path, folder)
    yield "nour"
    shutil.rmtree(folder)
    shutil.rmtree(settings.data_dir / "idle", ignore_errors=True)


async def work(settings: Settings, database: Database, queue: Queue) -> None:
    office, _ = make_office(database, queue, settings.data_dir)
    await Tasking(office, "test").task({}, "any")


async def idle_tasks(database: Database) -> list[str]:
    return [row["state"] for row in await rows(database, "SELECT state FROM tasks WHERE kind = 'idle' ORDER BY id")]


async def made(client: httpx.AsyncClient, settings: Settings, database: Database, queue: Queue, name: str) -> bytes:
    assert (await client.get(f"/avatars/{name}/idle")).status_code == 202
    await work(settings, database, queue)
    response = await client.get(f"/avatars/{name}/idle")
    assert response.status_code == 200, response.text
    return response.content


async def test_whoever_asks_first_has_it_made_and_all_get_it(
    client: httpx.AsyncClient, settings: Settings, database: Database, queue: Queue, avatar: str
) -> None:
    url = f"/avatars/{avatar}/idle"
    asked = await asyncio.gather(*(client.get(url) for _ in range(6)))
    assert [response.status_code for response in asked] == [202] * 6
    assert {response.headers["retry-after"] for response in asked} == {"2"}
    assert {response.headers["cache-control"] for response in asked} == {"no-store"}
    assert await idle_tasks(database) == ["queued"]
    assert await rung(queue) >= 1
    await asyncio.gather(*(work(settings, database, queue) for _ in range(2)))
    assert await idle_tasks(database) == ["done"]

    whole = await client.get(url)
    assert (whole.status_code, whole.headers["content-type"]) == (200, "video/mp4")
    assert whole.headers["cache-control"] == "public, max-age=3600"
    with av.open(io.BytesIO(whole.content)) as container:
        assert [stream.type for stream in container.streams] == ["video"]
        assert sum(1 for _ in container.decode(video=0)) == 150
    tag = whole.headers["etag"]
    part = await client.get(url, headers={"Range": "bytes=10-19", "If-Range": tag})
    assert (part.status_code, part.content) == (206, whole.content[10:20])
    for names in (tag, f'"other", W/{tag}'):
        still = await client.get(url, headers={"If-None-Match": names})
        assert (still.status_code, still.content, still.headers["etag"]) == (304, b"", tag)
    assert (await client.get(url, headers={"If-None-Match": '"other"'})).status_code == 200


async def test_a_replaced_avatar_gets_a_new_one_and_a_lost_one_is_made_again(
    client: httpx.AsyncClient, settings: Settings, database: Database, queue: Queue, avatar: str
) -> None:
    first = await made(client, settings, database, queue, avatar)
    for name in ("portrait.png", "rig.npz"):
        shutil.copy(HOME / "avatars" / "sara" / name, settings.data_dir / "avatars" / avatar)
    second = await made(client, settings, database, queue, avatar)
    assert second != first
    kept = [path for path in (settings.data_dir / "idle").rglob("*") if path.is_file()]
    assert [path.read_bytes() for path in kept] == [second]
    kept[0].unlink()
    assert (await client.get(f"/avatars/{avatar}/idle")).status_code == 202
    assert await idle_tasks(database) == ["done", "queued"]


async def test_one_that_comes_late_leaves_the_newer_one_alone(
    client: httpx.AsyncClient,
    settings: Settings,
    database: Database,
    queue: Queue,
    avatar: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The avatar is replaced, and the new loop kept, while the old one is drawn."""
    folder = settings.data_dir / "avatars" / avatar

    async def replaced(*arguments: str, timeout_s: float) -> dict[str, int]:
        shutil.copy(HOME / "avatars" / "sara" / "portrait.png", folder)
        newer = loop_of(Catalogue(settings.data_dir).avatar(avatar)).path(settings.data_dir)
        for path in (Path(arguments[2]), newer):
            path.parent.mkdir(parents=True)
            path.write_bytes(b"film")
        return {"bytes": 4}

    monkeypatch.setattr("worker.filming.ask", replaced)
    assert (await client.get(f"/avatars/{avatar}/idle")).status_code == 202
    await work(settings, database, queue)
    assert (await client.get(f"/avatars/{avatar}/idle")).content == b"film"
    assert len(list((settings.data_dir / "idle" / avatar).iterdir())) == 1


async def test_one_that_can_t_be_made_says_so_and_is_not_tried_at_once(
    client: httpx.AsyncClient, settings: Settings, database: Database, queue: Queue, avatar: str
) -> None:
    (settings.data_dir / "avatars" / avatar / "rig.npz").write_bytes(b"no rig")
    url = f"/avatars/{avatar}/idle"
    assert (await client.get(url)).status_code == 202
    await rows(database, "UPDATE tasks SET attempts = 7 RETURNING id")
    await work(settings, database, queue)
    for _ in range(2):
        refused = await client.get(url, headers={"Accept-Language": "en"})
        assert (refused.status_code, refused.headers["retry-after"]) == (503, "600")
        assert refused.json()["error"]["code"] == VideoError.code
    assert await idle_tasks(database) == ["failed"]
    await rows(database, "UPDATE tasks SET ended_at = now() - interval '11 minutes' RETURNING id")
    assert (await client.get(url)).status_code == 202
    (task,) = await rows(database, "SELECT state, attempts, error FROM tasks")
    assert (task["state"], task["attempts"], task["error"]) == ("queued", 0, None)


@pytest.mark.parametrize("name", ["nobody", "..%2fx", "Layla", "%00"])
async def test_an_unknown_avatar_has_none(client: httpx.AsyncClient, database: Database, name: str) -> None:
    response = await client.get(f"/avatars/{name}/idle")
    assert response.status_code == 404, response.text
    assert await idle_tasks(database) == []


async def test_it_is_described_and_listed(client: httpx.AsyncClient, base_url: str) -> None:
    listed = (await client.get("/avatars", headers={"X-API-Key": "s3cret"})).json()["avatars"]
    assert {avatar["idle_url"] for avatar in listed} >= {f"/api/v1/avatars/{name}/idle" for name in ("layla", "omar")}
    described = (await client.get(f"{base_url}/openapi.json", headers={"X-API-Key": "s3cret"})).json()
    told = described["paths"]["/api/v1/avatars/{avatar_id}/idle"]["get"]["responses"]
    assert {"200", "202", "206", "304"} <= set(told)
    assert list(told["200"]["content"]) == ["video/mp4"]


async def test_a_new_avatar_has_one_and_takes_it_along(
    client: httpx.AsyncClient, settings: Settings, database: Database, queue: Queue, tmp_path: Path
) -> None:
    client.headers["X-API-Key"] = "b0ss"
    photo = photos.saved(photos.portrait("sara"), tmp_path / "a.jpg").read_bytes()
    sent = await client.post("/avatars", data={"name": "Huda"}, files={"photo": ("a.jpg", photo)})
    assert sent.status_code == 202, sent.text
    await work(settings, database, queue)
    assert (await client.get("/avatars/huda/idle")).status_code == 200
    assert await idle_tasks(database) == ["done"]
    assert (await client.delete("/avatars/huda")).status_code == 202
    await work(settings, database, queue)
    assert (await client.get("/avatars/huda/idle")).status_code == 404
    assert not (settings.data_dir / "idle" / "huda").exists()
