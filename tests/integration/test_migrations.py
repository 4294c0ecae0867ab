"""Migrations on a real PostgreSQL."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import pytest
from alembic import command
from sqlalchemy import make_url

from core.errors import DatabaseUnavailable
from core.settings import HOME, Settings
from db.migrate import config, downgrade, upgrade
from db.models import Base
from tests.conftest import new_database
from tests.helpers import query

TABLES = "SELECT coalesce(string_agg(tablename, ',' ORDER BY tablename), '') FROM pg_tables WHERE schemaname = 'public'"
LEFT = """
SELECT (SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname = 'public' AND c.relname NOT LIKE 'alembic%')
     + (SELECT count(*) FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace
        WHERE n.nspname = 'public' AND t.typname NOT LIKE '%alembic%')
"""


@pytest.fixture
def empty_url(servers: Settings) -> Iterator[str]:
    with new_database(servers.database_url) as url:
        yield url


def test_up_down_and_up_again(empty_url: str) -> None:
    upgrade(empty_url)
    assert set(query(empty_url, TABLES).split(",")) == {*Base.metadata.tables, "alembic_version"}
    downgrade(empty_url, "base")
    assert query(empty_url, LEFT) == 0
    upgrade(empty_url)
    assert set(Base.metadata.tables) <= set(query(empty_url, TABLES).split(","))


def test_models_and_migrations_agree(empty_url: str) -> None:
    upgrade(empty_url)
    command.check(config(empty_url))


def test_upgrading_twice_changes_nothing(empty_url: str) -> None:
    upgrade(empty_url)
    upgrade(empty_url)
    assert query(empty_url, "SELECT count(*) FROM alembic_version") == 1


def test_processes_that_start_together_do_not_clash(empty_url: str) -> None:
    program = [sys.executable, "-c", "import sys; from db.migrate import upgrade; upgrade(sys.argv[1])", empty_url]
    together = [subprocess.Popen(program, cwd=HOME) for _ in range(3)]
    assert [process.wait(60) for process in together] == [0, 0, 0]
    assert query(empty_url, "SELECT count(*) FROM alembic_version") == 1


def changed(url: str, **parts: object) -> str:
    return make_url(url).set(**parts).render_as_string(hide_password=False)  # type: ignore[arg-type]


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+asyncpg"])
def test_nobody_listens(scheme: str) -> None:
    with pytest.raises(DatabaseUnavailable):
        upgrade(f"{scheme}://somebody@127.0.0.1:9/nothing")


def test_no_such_database(servers: Settings) -> None:
    with pytest.raises(DatabaseUnavailable, match="nothing_of_that_name"):
        upgrade(changed(servers.database_url, database="nothing_of_that_name"))
