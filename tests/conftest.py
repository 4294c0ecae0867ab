"""Real servers for every test: the given ones, or embedded ones in a temporary folder.

Each worker of pytest-xdist has embedded servers of its own; of a given Redis it has the database that follows the
given one by the worker's number, since tests empty theirs.
"""

from __future__ import annotations

import os
import secrets
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis
from sqlalchemy import make_url, text

from core.embedded import embedded_servers, find_place
from core.embedded.postgres import Postgres
from core.embedded.redis import Redis
from core.queue import Queue, opened
from core.settings import Settings
from db.migrate import upgrade
from tests import quiet
from tests.helpers import CountingDatabase, query
from tests.stack import Stack

os.environ.setdefault("OMP_NUM_THREADS", "1")
"""Small networks gain nothing from more threads, and wait for each other where several tests share the processors.
Before anything imports torch; processes that tests start have it too."""

LOCKS = pytest.StashKey[Path]()
"""The folder of `tests.quiet`, where there are several workers."""

# How long an example takes says nothing on a machine that does other things too.
hypothesis.register_profile("loaded", deadline=None, suppress_health_check=[HealthCheck.too_slow])
hypothesis.load_profile("loaded")


def pytest_configure(config: pytest.Config) -> None:
    if hasattr(config, "workerinput"):
        config.stash[LOCKS] = Path(config.workerinput["locks"])
    elif config.getoption("numprocesses", default=None):
        config.stash[LOCKS] = Path(tempfile.mkdtemp(prefix="smarttalker-tests-"))


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Called by pytest-xdist for each worker."""
    node.workerinput["locks"] = str(node.config.stash[LOCKS])


def pytest_unconfigure(config: pytest.Config) -> None:
    if LOCKS in config.stash and not hasattr(config, "workerinput"):
        shutil.rmtree(config.stash[LOCKS], ignore_errors=True)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """Outside of pytest-timeout's own, so that no test's time runs while it waits for others."""
    if LOCKS not in item.config.stash:
        return (yield)
    with quiet.entered(item.config.stash[LOCKS], alone=item.get_closest_marker("alone") is not None):
        return (yield)


@pytest.fixture(scope="session", autouse=True)
def plain_environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """No setting of the person who runs the tests reaches them."""
    with pytest.MonkeyPatch.context() as patch:
        for name in list(os.environ):
            if name.startswith("SMARTTALKER_") and not name.startswith("SMARTTALKER_TEST_"):
                patch.delenv(name)
        yield


@pytest.fixture(scope="session")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """Settings with the URLs of a PostgreSQL and a Redis that only this test run uses."""
    given = Settings(
        _env_file=None,
        database_url=os.environ.get("SMARTTALKER_TEST_DATABASE_URL", ""),
        redis_url=own_redis(os.environ.get("SMARTTALKER_TEST_REDIS_URL", "")),
        data_dir=tmp_path_factory.mktemp("servers"),
    )
    with embedded_servers(given) as settings:
        yield settings
    remove_servers(given)


def own_redis(given: str) -> str:
    """A given Redis' URL with this worker's own database; redis://host:port/0 and unix://path?db=0."""
    number = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    if not (given and number):
        return given
    parts = urlsplit(given)
    if parts.scheme == "unix":
        words = dict(parse_qsl(parts.query))
        return f"unix://{parts.path}?{urlencode({**words, 'db': int(words.get('db', 0)) + number})}"
    return parts._replace(path=f"/{int(parts.path.strip('/') or 0) + number}").geturl()


def remove_servers(settings: Settings) -> None:
    """As root they lie outside the temporary folder."""
    if not (settings.database_url and settings.redis_url):
        find_place(settings.data_dir).remove()


@pytest.fixture(scope="session")
def postgres_url(servers: Settings) -> Iterator[str]:
    """A database of this test run's own, empty at its start."""
    with new_database(servers.database_url) as url:
        yield url


@pytest.fixture(scope="module")
def database_url(servers: Settings) -> Iterator[str]:
    """An empty database for the module."""
    with new_database(servers.database_url) as url:
        yield url


@pytest.fixture(scope="module")
def migrated_url(database_url: str) -> str:
    """The module's database with all tables."""
    upgrade(database_url)
    return database_url


@pytest.fixture
async def database(migrated_url: str) -> AsyncIterator[CountingDatabase]:
    """Connections to the module's database, its tables empty."""
    database = CountingDatabase(migrated_url)
    async with database.begin() as connection:
        await connection.execute(text("TRUNCATE contacts, tasks, inbox, audit, switches CASCADE"))
    database.commits = 0
    yield database
    await database.close()


@pytest.fixture(scope="session")
def redis_url(servers: Settings) -> str:
    return servers.redis_url


@pytest.fixture
async def queue(redis_url: str) -> AsyncIterator[Queue]:
    """The test run's Redis, empty."""
    async with opened(redis_url) as queue:
        await queue.pool.flushdb()
        yield queue


@pytest.fixture
async def stack(
    tmp_path: Path, migrated_url: str, redis_url: str, database: CountingDatabase, queue: Queue
) -> AsyncIterator[Stack]:
    """Processes on the module's database and the test run's Redis."""
    stack = Stack(tmp_path, migrated_url, redis_url, database, queue)
    yield stack
    stack.close()


@pytest.fixture
def data_dir(tmp_path: Path) -> Iterator[Path]:
    """For a test that has embedded servers of its own: what it leaves of them is stopped and removed."""
    folder = tmp_path / "data"
    yield folder
    if folder.exists():
        place = find_place(folder)
        Postgres(place).stop()
        Redis(place).stop()
        place.remove()


@contextmanager
def new_database(server_url: str) -> Iterator[str]:
    """The SQLAlchemy URL of a new, empty database, dropped at the end."""
    name = f"test_{secrets.token_hex(6)}"
    query(server_url, f'CREATE DATABASE "{name}"')
    try:
        yield make_url(server_url).set(database=name).render_as_string(hide_password=False)
    finally:
        query(server_url, f'DROP DATABASE "{name}" WITH (FORCE)')
