"""The embedded servers: started, shared, attached to, stopped; real processes throughout."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy.exc import DBAPIError

from core.embedded import EmbeddedServers, embedded_servers, find_place
from core.embedded.place import Place
from core.embedded.postgres import Postgres
from core.embedded.process import alive, wait_until
from core.embedded.redis import Redis
from core.errors import ConfigurationError, DatabaseUnavailable, StorageError
from core.settings import HOME, Settings
from tests.helpers import query

HOLDER = """
import sys, signal, threading
from pathlib import Path
from core.embedded import embedded_servers
from core.settings import Settings
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
with embedded_servers(Settings(_env_file=None, data_dir=Path(sys.argv[1]))):
    print("ready", flush=True)
    signal.pause()
"""
"""A process that uses the servers until it is told to stop."""


def settings_of(data_dir: Path, **values: str) -> Settings:
    return Settings(_env_file=None, data_dir=data_dir, **values)


@pytest.fixture
def settings(tmp_path: Path) -> Iterator[Settings]:
    settings = settings_of(tmp_path / "data")
    yield settings
    clean(settings)


def clean(settings: Settings) -> None:
    place = find_place(settings.data_dir)
    Postgres(place).stop()
    Redis(place).stop()
    place.remove()


def pids(settings: Settings) -> list[int]:
    """PostgreSQL's and Redis's, as their pid files tell."""
    place = find_place(settings.data_dir)
    files = (place.folder / "postgres" / "postmaster.pid", place.run / "redis.pid")
    return [int(file.read_text().split()[0]) for file in files]


def hold(settings: Settings) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", HOLDER, str(settings.data_dir)]
    holder = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=HOME, start_new_session=True)
    assert holder.stdout is not None
    assert holder.stdout.readline() == "ready\n"
    return holder


def end(holder: subprocess.Popen[str], number: int) -> None:
    holder.send_signal(number)
    holder.wait(30)
    assert holder.stdout is not None
    holder.stdout.close()


def recovered(settings: Settings) -> bool:
    try:
        return query(settings.database_url, "SELECT 1") == 1
    except DBAPIError:
        return False


def answer(settings: Settings) -> tuple[object, bool]:
    return query(settings.database_url, "SELECT current_database()"), Redis(find_place(settings.data_dir)).running()


def test_both_servers_answer_and_are_gone_afterwards(settings: Settings) -> None:
    with embedded_servers(settings) as complete:
        assert answer(complete) == ("smarttalker", True)
        running = pids(complete)
        assert query(complete.database_url, "SHOW synchronous_commit") == "on"
        assert query(complete.database_url, "SELECT lower('ÄÉ')") == "äé"
    assert not any(alive(pid) for pid in running)


@pytest.mark.alone
def test_what_was_written_is_there_at_the_next_start_which_takes_less_than_a_second(settings: Settings) -> None:
    with embedded_servers(settings) as complete:
        query(complete.database_url, "CREATE TABLE kept AS SELECT 7 AS n")
    begun = time.monotonic()
    with embedded_servers(settings) as complete:
        assert time.monotonic() - begun < 1.0
        assert query(complete.database_url, "SELECT n FROM kept") == 7


def test_only_the_server_without_a_url_is_started(settings: Settings) -> None:
    given = settings.model_copy(update={"redis_url": "redis://127.0.0.1:1/0"})
    with embedded_servers(given) as complete:
        assert complete.redis_url == given.redis_url
        assert not Redis(find_place(settings.data_dir)).running()


def test_with_both_urls_nothing_is_made(tmp_path: Path) -> None:
    given = settings_of(tmp_path / "data", database_url="postgresql+asyncpg://x/y", redis_url="redis://x")
    with embedded_servers(given) as complete:
        assert complete == given
    assert not (tmp_path / "data").exists()


def test_the_last_of_several_users_stops_them(settings: Settings) -> None:
    first, second = hold(settings), hold(settings)
    running = pids(settings)
    end(first, signal.SIGTERM)
    assert all(alive(pid) for pid in running)
    end(second, signal.SIGINT)
    assert not any(alive(pid) for pid in running)


def test_many_who_start_at_once_share_one_pair(settings: Settings) -> None:
    command = [sys.executable, "-c", HOLDER, str(settings.data_dir)]
    holders = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=HOME) for _ in range(4)]
    assert [holder.stdout and holder.stdout.readline() for holder in holders] == ["ready\n"] * 4
    running = pids(settings)
    for holder in holders:
        end(holder, signal.SIGTERM)
    assert not any(alive(pid) for pid in running)


def test_what_a_killed_user_left_is_attached_to_and_stopped(settings: Settings) -> None:
    end(hold(settings), signal.SIGKILL)
    left = pids(settings)
    assert all(alive(pid) for pid in left)
    with embedded_servers(settings) as complete:
        assert pids(complete) == left
        assert answer(complete) == ("smarttalker", True)
    assert not any(alive(pid) for pid in left)


def test_killed_servers_are_started_again_with_what_was_committed(settings: Settings) -> None:
    servers = EmbeddedServers(settings)
    complete = servers.join()
    try:
        query(complete.database_url, "CREATE TABLE kept AS SELECT 7 AS n")
        assert servers.ensure() == []
        for pid in pids(complete):
            os.kill(pid, signal.SIGKILL)
        assert wait_until(lambda: not any(alive(pid) for pid in pids(complete)), 5)
        assert sorted(servers.ensure()) == ["postgres", "redis"]
        assert query(complete.database_url, "SELECT n FROM kept") == 7
    finally:
        servers.leave()


def test_a_postgres_that_recovers_by_itself_is_waited_for(settings: Settings) -> None:
    servers = EmbeddedServers(settings)
    complete = servers.join()
    try:
        before = pids(complete)
        writer = query(complete.database_url, "SELECT pid FROM pg_stat_activity WHERE backend_type = 'walwriter'")
        os.kill(writer, signal.SIGKILL)
        for _ in range(20):
            servers.ensure()
            time.sleep(0.02)
        assert pids(complete) == before
        assert wait_until(lambda: recovered(complete), 20)
    finally:
        servers.leave()


def test_a_pid_file_of_a_process_that_is_another_now_does_not_disturb(settings: Settings) -> None:
    with embedded_servers(settings):
        place = find_place(settings.data_dir)
        lines = (place.folder / "postgres" / "postmaster.pid").read_text().splitlines()
    stale = "\n".join([str(os.getpid()), *lines[1:]]) + "\n"
    (place.folder / "postgres" / "postmaster.pid").write_text(stale)
    (place.run / "redis.pid").write_text(f"{os.getpid()}\n")
    with embedded_servers(settings) as complete:
        assert answer(complete) == ("smarttalker", True)


def test_a_start_that_was_killed_in_the_middle_is_begun_anew(settings: Settings) -> None:
    place = find_place(settings.data_dir)
    (place.folder / "postgres.new").mkdir()
    (place.folder / "postgres.new" / "PG_VERSION").write_text("18")
    with embedded_servers(settings) as complete:
        assert answer(complete) == ("smarttalker", True)


def test_two_data_folders_have_servers_of_their_own(settings: Settings, tmp_path: Path) -> None:
    other = settings_of(tmp_path / "other")
    with embedded_servers(settings) as one:
        with embedded_servers(other) as two:
            assert one.database_url != two.database_url
            assert set(pids(one)).isdisjoint(pids(two))
        assert answer(one) == ("smarttalker", True)
    clean(other)


@pytest.mark.parametrize("name", ["deep/" * 40, "with space, comma and 'quote'", '$HOME `x` "y"', "بيانات"])
def test_any_folder_will_do(tmp_path: Path, name: str) -> None:
    settings = settings_of(tmp_path / name)
    with embedded_servers(settings) as complete:
        assert answer(complete) == ("smarttalker", True)
        assert len(os.fsencode(find_place(settings.data_dir).run / ".s.PGSQL.5432.lock")) <= 107
    clean(settings)


def test_no_existing_folder_changes_its_mode(tmp_path: Path) -> None:
    private = tmp_path / "private"
    private.mkdir(mode=0o700)
    settings = settings_of(private / "data")
    before = [folder.stat().st_mode for folder in private.parents]
    with embedded_servers(settings) as complete:
        assert answer(complete) == ("smarttalker", True)
    assert [folder.stat().st_mode for folder in private.parents] == before
    assert private.stat().st_mode & 0o777 == 0o700
    clean(settings)


def test_a_cluster_of_another_version_is_named(settings: Settings) -> None:
    cluster = find_place(settings.data_dir).folder / "postgres"
    cluster.mkdir()
    (cluster / "PG_VERSION").write_text("16\n")
    with pytest.raises(ConfigurationError, match="made by PostgreSQL 16"), embedded_servers(settings):
        pass


def test_a_broken_cluster_is_one_line(settings: Settings) -> None:
    with embedded_servers(settings):
        cluster = find_place(settings.data_dir).folder / "postgres"
    (cluster / "global" / "pg_control").unlink()
    with pytest.raises(DatabaseUnavailable, match=r"PostgreSQL did not start: .*pg_control") as caught:
        EmbeddedServers(settings).join()
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("data_dir", ["/proc/smarttalker", "/dev/null/data"])
def test_a_folder_that_cannot_be_written_is_a_storage_error(data_dir: str) -> None:
    with pytest.raises(StorageError, match="see SMARTTALKER_DATA_DIR"):
        EmbeddedServers(settings_of(Path(data_dir))).join()


def test_a_full_disk_is_a_storage_error(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    full = Path("/dev/shm") / f"smarttalker-{os.getpid()}"
    if os.geteuid() != 0 or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "none", make(full)]).returncode:
        pytest.skip("only root may mount a small disk")
    try:
        place = Place(full, full / "run", find_place(settings.data_dir).owner)
        full.chmod(0o755)
        place.owned(place.run)
        with pytest.raises(StorageError, match="No space left"):
            Postgres(place).start()
        assert not (full / "postgres").exists()
    finally:
        subprocess.run(["umount", full], check=True)
        full.rmdir()


def make(folder: Path) -> Path:
    folder.mkdir()
    return folder
