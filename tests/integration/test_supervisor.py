"""`smarttalker up` with real servers and real processes in place of the three."""

from __future__ import annotations

import itertools
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.embedded import find_place
from core.embedded.postgres import Postgres
from core.embedded.process import alive, wait_until
from core.embedded.redis import Redis
from core.errors import ConfigurationError, PortTaken
from core.settings import HOME, Settings
from core.supervisor import Child, check_port, environment_of, free_port
from tests.helpers import query

WEB = """
import http.server, os, pathlib, signal, sys, threading
draft = pathlib.Path(sys.argv[1], "web.new"); draft.write_text(str(os.getpid()))
draft.rename(draft.with_suffix(".pid"))
from core.lifeline import die_with_parent
die_with_parent(int(os.environ["SMARTTALKER_SUPERVISOR_PID"]))
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.end_headers()
    def log_message(self, *args): pass
http.server.HTTPServer(("127.0.0.1", int(os.environ["SMARTTALKER_PORT"])), Handler).serve_forever()
"""
WORKER = """
import os, pathlib, signal, sys, time
folder = pathlib.Path(sys.argv[1])
from core.lifeline import die_with_parent
die_with_parent(int(os.environ["SMARTTALKER_SUPERVISOR_PID"]))
def drain(*_):
    if not (folder / "stubborn").exists():
        time.sleep(0.3); (folder / "drained").write_text("yes"); sys.exit(0)
signal.signal(signal.SIGTERM, drain)
with (folder / "starts").open("a") as file: file.write(f"{time.time()}\\n")
(folder / "urls").write_text(os.environ["SMARTTALKER_DATABASE_URL"] + " " + os.environ["SMARTTALKER_REDIS_URL"])
(folder / "worker.new").write_text(str(os.getpid())); (folder / "worker.new").rename(folder / "worker.pid")
if (folder / "refuses").exists(): sys.exit(78)
if (folder / "fails").exists(): sys.exit(3)
while True: time.sleep(1)
"""
UP = """
import sys
from pathlib import Path
from core.logging import configure_logging
from core.settings import read_settings
from core.supervisor import Supervisor
from bot.cli.errors import one_line_errors
def prepare(settings): Path(sys.argv[1], "prepared").write_text(settings.database_url)
with one_line_errors():
    settings = read_settings()
    configure_logging("up", settings)
    sources = dict(zip(("web", "worker"), sys.argv[2:]))
    commands = {name: [sys.executable, "-c", source, sys.argv[1]] for name, source in sources.items()}
    Supervisor(settings, commands, prepare, lambda address: print(address, flush=True)).run()
"""


class Up:
    """A supervisor in a process of its own, and what its processes write."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port("127.0.0.1")
        self.settings = Settings(_env_file=None, data_dir=folder / "data")
        self.process: subprocess.Popen[str] | None = None

    def start(self) -> subprocess.Popen[str]:
        environment = {**os.environ, "SMARTTALKER_DATA_DIR": str(self.folder / "data"), "PYTHONPATH": str(HOME)}
        self.process = subprocess.Popen(
            [sys.executable, "-c", UP, str(self.folder), WEB, WORKER], text=True, start_new_session=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=self.folder,
            env={**environment, "SMARTTALKER_PORT": str(self.port)},
        )  # fmt: skip
        return self.process

    def ready(self) -> Up:
        process = self.start()
        assert process.stdout is not None
        assert process.stdout.readline() == f"http://127.0.0.1:{self.port}\n"
        assert wait_until((self.folder / "worker.pid").exists, 5)
        return self

    def pid(self, name: str) -> int:
        return int((self.folder / f"{name}.pid").read_text())

    def server_pids(self) -> list[int]:
        place = find_place(self.settings.data_dir)
        files = (place.folder / "postgres" / "postmaster.pid", place.run / "redis.pid")
        return [int(file.read_text().split()[0]) for file in files]

    def end(self, number: int = signal.SIGTERM) -> tuple[int, str, str]:
        assert self.process is not None
        self.process.send_signal(number)
        out, err = self.process.communicate(timeout=120)
        return self.process.returncode, out, err


@pytest.fixture
def up(tmp_path: Path) -> Iterator[Up]:
    up = Up(tmp_path)
    yield up
    if up.process is not None and up.process.poll() is None:
        up.end(signal.SIGKILL)
    place = find_place(up.settings.data_dir)
    Postgres(place).stop()
    Redis(place).stop()
    place.remove()


def test_everything_starts_and_a_signal_drains_and_stops_it(up: Up) -> None:
    up.ready()
    database_url, redis_url = (up.folder / "urls").read_text().split()
    assert query(database_url, "SELECT 1") == 1
    assert redis_url.startswith("unix:///")
    assert (up.folder / "prepared").read_text() == database_url
    everything = [up.pid("web"), up.pid("worker"), *up.server_pids()]
    status, _, errors = up.end()
    assert status == 0, errors
    assert (up.folder / "drained").read_text() == "yes"
    assert not any(alive(pid) for pid in everything)


@pytest.mark.parametrize("name", ["web", "worker"])
def test_a_killed_process_is_started_again(up: Up, name: str) -> None:
    up.ready()
    first = up.pid(name)
    os.kill(first, signal.SIGKILL)
    assert wait_until(lambda: up.pid(name) != first, 5)
    _, _, errors = up.end()
    assert re.search(r'"name": ?"' + name + r'", ?"status": ?-9', errors)


def test_the_delay_between_starts_doubles(up: Up) -> None:
    (up.folder / "fails").touch()
    up.ready()
    starts = up.folder / "starts"
    assert wait_until(lambda: len(starts.read_text().split()) >= 4, 20)
    times = [float(line) for line in starts.read_text().split()]
    gaps = [later - earlier for earlier, later in itertools.pairwise(times)]
    assert gaps[0] >= 0.2
    assert gaps[1] >= 0.4
    assert gaps[2] >= 0.8


def test_what_ended_for_lack_of_a_server_waits_no_longer_than_the_server() -> None:
    child = Child("worker", [sys.executable, "-c", "raise SystemExit(1)"], dict(os.environ))
    for _ in range(4):
        child.start()
        assert child.process is not None
        child.process.wait(30)
        assert child.reap() == 1
    assert child.due > time.monotonic() + 1
    child.hurry()
    assert child.due <= time.monotonic()
    assert child.delay < 1


def test_killed_servers_are_started_again(up: Up) -> None:
    up.ready()
    before = up.server_pids()
    for pid in before:
        os.kill(pid, signal.SIGKILL)
    database_url = (up.folder / "urls").read_text().split()[0]
    place = find_place(up.settings.data_dir)
    assert wait_until(lambda: Postgres(place).running() and Redis(place).running(), 15)
    assert not set(before) & set(up.server_pids())
    assert query(database_url, "SELECT 1") == 1
    assert up.end()[0] == 0


def test_nothing_outlives_a_killed_supervisor_but_the_servers_which_the_next_takes_over(up: Up) -> None:
    up.ready()
    children, servers = [up.pid("web"), up.pid("worker")], up.server_pids()
    up.end(signal.SIGKILL)
    assert wait_until(lambda: not any(alive(pid) for pid in children), 5)
    assert all(alive(pid) for pid in servers)
    up.ready()
    assert up.server_pids() == servers
    assert up.end()[0] == 0
    assert not any(alive(pid) for pid in servers)


@pytest.mark.alone
def test_a_second_signal_kills_what_does_not_drain(up: Up) -> None:
    (up.folder / "stubborn").touch()
    up.ready()
    assert up.process is not None
    up.process.send_signal(signal.SIGINT)
    time.sleep(0.5)
    assert alive(up.pid("worker"))
    begun = time.monotonic()
    status, _, errors = up.end(signal.SIGINT)
    assert (status, alive(up.pid("worker"))) == (0, False), errors
    assert time.monotonic() - begun < 5


def test_a_process_that_refuses_its_settings_ends_everything(up: Up) -> None:
    (up.folder / "refuses").touch()
    process = up.start()
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 1
    assert errors.splitlines()[-1] == "error: worker refused to start; its reason is above"


def test_a_taken_port_is_one_line_before_anything_starts(up: Up) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", up.port))
        other.listen()
        _, errors = up.start().communicate(timeout=120)
    assert up.process is not None
    assert up.process.returncode == 1
    assert (
        errors == f"error: port {up.port} is taken: stop the other program, or choose another with SMARTTALKER_PORT\n"
    )
    assert not (up.folder / "data").exists()


@pytest.mark.parametrize("host", ["192.0.2.1", "no such host"])
def test_a_host_that_is_not_ours_is_named(host: str) -> None:
    with pytest.raises(ConfigurationError, match=f"SMARTTALKER_HOST {host}"):
        check_port(host, 8080)


def test_a_port_in_use_is_port_taken() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, pytest.raises(PortTaken, match="SMARTTALKER_PORT"):
        check_port("127.0.0.1", server.getsockname()[1])


def test_children_read_the_same_settings() -> None:
    given = Settings(
        _env_file=None, port=9, lease_s=3, api_key="k-1", database_url="postgresql://x", redis_url="redis://y"
    )
    with pytest.MonkeyPatch.context() as patch:
        for name, value in environment_of(given).items():
            patch.setenv(name, value)
        assert Settings(_env_file=None) == given
