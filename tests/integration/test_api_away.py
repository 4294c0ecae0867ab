"""PostgreSQL or Redis away, the disk full or read-only: the web process stays up and says so."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from core.errors import StorageError
from core.settings import Settings
from db.migrate import upgrade
from tests.helpers import query
from tests.recordings import record
from tests.web import served, wait_for

NO_DATABASE = "postgresql://nobody@127.0.0.1:1/none"
NO_REDIS = "unix:///nowhere/redis.sock"


@pytest.fixture(scope="module")
def without_redis(database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    upgrade(database_url)
    settings = Settings(
        _env_file=None,
        database_url=database_url,
        redis_url=NO_REDIS,
        data_dir=tmp_path_factory.mktemp("data"),
        port=0,
    )
    with served(settings) as url:
        yield url


@pytest.fixture(scope="module")
def no_database(redis_url: str, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    data_dir = tmp_path_factory.mktemp("data")
    return Settings(_env_file=None, database_url=NO_DATABASE, redis_url=redis_url, data_dir=data_dir, port=0)


@pytest.fixture(scope="module")
def without_postgres(no_database: Settings) -> Iterator[str]:
    with served(no_database) as url:
        yield url


@pytest.mark.alone
def test_without_redis_messages_are_taken_as_fast_as_ever(without_redis: str) -> None:
    with httpx.Client(base_url=without_redis) as client:
        client.post("/api/v1/messages", json={"text": "warm"})
        start = time.perf_counter()
        response = client.post("/api/v1/messages", json={"text": "hello"})
        assert time.perf_counter() - start < 0.3
        assert response.status_code == 202
        turn = client.get(f"/api/v1/turns/{response.json()['turn_id']}").json()
        assert turn["state"] == "queued"
        cancelled = client.delete(f"/api/v1/turns/{response.json()['turn_id']}")
        assert (cancelled.status_code, cancelled.json()["state"]) == (200, "cancelled")


def test_without_redis_the_process_is_alive_but_not_ready(without_redis: str) -> None:
    assert httpx.get(without_redis + "/healthz").status_code == 200
    ready = httpx.get(without_redis + "/readyz")
    assert ready.status_code == 503
    assert (ready.json()["postgres"], ready.json()["redis"]) == ("ok", "away")
    assert ready.json()["error"]["code"] == "queue_unavailable"


def test_without_postgres_everything_is_told_apart_from_health(without_postgres: str) -> None:
    with httpx.Client(base_url=without_postgres) as client:
        assert client.get("/healthz").status_code == 200
        ready = client.get("/readyz")
        assert (ready.status_code, ready.json()["postgres"], ready.json()["redis"]) == (503, "away", "ok")
        assert client.get("/metrics").status_code == 200
        for response in (
            client.post("/api/v1/messages", json={"text": "hello"}),
            client.get("/api/v1/turns/5d1c9f46-2bb2-4f5c-9d30-0d2cf5b6cbd2"),
            client.delete("/api/v1/turns/5d1c9f46-2bb2-4f5c-9d30-0d2cf5b6cbd2"),
        ):
            assert response.status_code == 503
            assert response.json()["error"]["code"] == "database_unavailable"
            assert int(response.headers["retry-after"]) > 0


def test_a_recording_that_could_not_be_stored_leaves_no_file(
    without_postgres: str, no_database: Settings, tmp_path: Path
) -> None:
    note = record(tmp_path / "note.wav").read_bytes()
    response = httpx.post(without_postgres + "/api/v1/messages", files={"audio": ("n.wav", note)})
    assert response.status_code == 503
    assert list(no_database.media_dir.rglob("*")) == []


def test_a_disk_that_takes_nothing_is_a_507(no_database: Settings, tmp_path: Path) -> None:
    settings = no_database.model_copy(update={"data_dir": tmp_path})
    (tmp_path / "media").write_text("a file where a folder should be")
    note = record(tmp_path / "note.wav").read_bytes()
    with served(settings) as url:
        response = httpx.post(url + "/api/v1/messages", files={"audio": ("n.wav", note)})
        assert response.status_code == 507
        assert response.json()["error"]["code"] == "storage"


def test_a_data_folder_that_can_not_be_made_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file where a folder should be")
    settings = Settings(
        _env_file=None, database_url=NO_DATABASE, redis_url=NO_REDIS, data_dir=tmp_path / "data", port=0
    )
    with pytest.raises(StorageError), served(settings):
        pass


def test_connections_that_postgres_closed_cost_at_most_one_answer_each(without_redis: str, database_url: str) -> None:
    """A restart of PostgreSQL, as the pool sees it."""
    with httpx.Client(base_url=without_redis) as client:
        assert client.post("/api/v1/messages", json={"text": "before"}).status_code == 202
        query(
            database_url,
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()",
        )
        answers = [client.post("/api/v1/messages", json={"text": "after"}) for _ in range(3)]
        assert {response.status_code for response in answers} <= {202, 503}
        wait_for(lambda: client.post("/api/v1/messages", json={"text": "later"}).status_code == 202)
