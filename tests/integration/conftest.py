"""What tests over HTTP share (each module says with `settings` which server it wants), and a database of many turns."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest

from core.settings import Settings
from db.migrate import upgrade
from tests.conftest import new_database
from tests.many import Explained, fill
from tests.web import served


@pytest.fixture(scope="module")
def base_url(settings: Settings) -> Iterator[str]:
    with served(settings) as url:
        yield url


@pytest.fixture(scope="session")
def many_url(servers: Settings) -> Iterator[str]:
    """A database that has seen 100,000 turns; who changes it undoes that."""
    with new_database(servers.database_url) as url:
        upgrade(url)
        fill(url)
        yield url


@pytest.fixture
async def many_turns(many_url: str) -> AsyncIterator[Explained]:
    """Connections to it that tell how each statement was carried out."""
    database = Explained(many_url)
    yield database
    await database.close()
