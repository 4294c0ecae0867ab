"""The embedded PostgreSQL: a cluster of our own, reached over a Unix socket alone."""

from __future__ import annotations

import shutil
import signal
import socket
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from core.embedded import process
from core.embedded.place import Place, storage_errors
from core.embedded.programs import POSTGRES_MAJOR, postgres_programs
from core.errors import ConfigurationError, DatabaseUnavailable

DATABASE = "smarttalker"
_START_S = 60.0
_RECOVERY_S = 20.0
_SSL_REQUEST = bytes.fromhex("0000000804d2162f")
"""The protocol's SSLRequest; any PostgreSQL answers it with one byte, before a login."""

_CONFIGURATION = """\
listen_addresses = ''
port = 5432
unix_socket_directories = '{run}'
unix_socket_permissions = 0700
max_connections = 100
autovacuum_naptime = 15s
shared_buffers = 64MB
max_wal_size = 256MB
wal_level = minimal
max_wal_senders = 0
fsync = on
synchronous_commit = on
jit = off
io_method = sync
max_parallel_workers_per_gather = 0
dynamic_shared_memory_type = mmap
timezone = 'UTC'
log_timezone = 'UTC'
log_checkpoints = off
log_error_verbosity = terse
log_min_error_statement = panic
update_process_title = off
"""
"""A commit is on the disk before it is acknowledged. The log holds neither statements nor rows' values."""


@dataclass(frozen=True)
class _PidFile:
    """postmaster.pid, as src/include/utils/pidfile.h of PostgreSQL lays it out."""

    pid: int
    run: str
    ready: bool


class Postgres:
    """Keeps the contract of `core.embedded.ownership.Server`."""

    name = "postgres"

    def __init__(self, place: Place) -> None:
        self._place = place
        self._cluster = place.folder / "postgres"
        self._log = place.folder / "postgres.log"
        self._socket = place.run / ".s.PGSQL.5432"

    @property
    def url(self) -> str:
        """For SQLAlchemy with asyncpg."""
        host = quote(str(self._place.run), safe="/")
        return f"postgresql+asyncpg:///{DATABASE}?host={host}&port=5432&user={DATABASE}"

    def running(self) -> bool:
        state = self._pid_file()
        here = state is not None and state.ready and state.run == str(self._place.run) and self._is_ours(state.pid)
        return here and self._answers()

    def start(self) -> None:
        """Raises StorageError, ConfigurationError (another version's cluster) or DatabaseUnavailable."""
        self._check_version()
        if self._comes_up():
            return
        self._end_leftover()
        if not self._cluster.exists():
            self._create_cluster()
        with storage_errors(self._cluster):
            self._place.owned(self._place.run)
            configuration = self._place.folder / "postgresql.conf"
            configuration.write_text(_CONFIGURATION.format(run=self._place.run), encoding="utf-8")
            configuration.chmod(0o644)
            self._launch(configuration)

    def stop(self) -> None:
        for pid in {_first_number(file) for file in self._pid_files()} - {None}:
            if pid is not None and self._is_ours(pid):
                # Fast shutdown (open transactions roll back), then immediate, then by force: the log recovers both.
                process.end(pid, (signal.SIGINT, 10.0), (signal.SIGQUIT, 5.0), (signal.SIGKILL, 5.0))

    def _launch(self, configuration: Path) -> None:
        """Tried again for a while: after a kill -9 the old backends hold the shared memory until they notice."""
        program = postgres_programs() / "bin" / "postgres"
        for attempt in range(5):
            written = self._log.stat().st_size if self._log.exists() else 0
            command: list[str | Path] = [program, "-D", self._cluster, "-c", f"config_file={configuration}"]
            pid = process.spawn(command, self._place.owner, self._place.folder, self._log)
            process.wait_until(lambda pid=pid: self.running() or not process.alive(pid), _START_S)  # type: ignore[misc]
            if self.running():
                return
            output = process.tail(self._log, written)
            if attempt == 4 or "shared memory block" not in output:
                process.end(pid, (signal.SIGQUIT, 5.0), (signal.SIGKILL, 5.0))
                raise process.failure("PostgreSQL", output, DatabaseUnavailable)
            process.wait_until(lambda: False, 1.0)

    def _comes_up(self) -> bool:
        """Whether a server that runs but does not answer yet does so after a while.

        It is starting (and its starter was killed), or recovers by itself from the crash of one of its processes.
        """
        state = self._pid_file()
        if state is None or not self._socket.exists() or not self._is_ours(state.pid):
            return False
        process.wait_until(lambda: self.running() or not self._is_ours(state.pid), _RECOVERY_S, pause=0.05)
        return self.running()

    def _end_leftover(self) -> None:
        """Ends a server that runs but does not answer, and removes the locks of one that is gone.

        PostgreSQL itself believes a lock whose pid another process has by now, or a zombie.
        """
        self.stop()
        with storage_errors(self._cluster):
            for file in self._pid_files():
                file.unlink(missing_ok=True)

    def _pid_files(self) -> tuple[Path, Path]:
        return self._cluster / "postmaster.pid", self._place.run / ".s.PGSQL.5432.lock"

    def _create_cluster(self) -> None:
        """Makes cluster and database beside, then renames: a cluster is there whole or not at all."""
        draft = self._cluster.with_suffix(".new")
        shutil.rmtree(draft, ignore_errors=True)
        self._place.owned(draft)
        self._initialise(draft)
        with storage_errors(self._cluster):
            draft.rename(self._cluster)

    def _initialise(self, cluster: Path) -> None:
        programs = postgres_programs() / "bin"
        options = ["--username", DATABASE, "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-instructions"]
        options += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--no-sync", "--wal-segsize=4"]
        steps: tuple[tuple[list[str | Path], str], ...] = (
            ([programs / "initdb", "-D", cluster, *options], ""),
            ([programs / "postgres", "--single", "-D", cluster, "-c", "fsync=off", "postgres"],
             f"CREATE DATABASE {DATABASE}\n"),
        )  # fmt: skip
        for command, text in steps:
            result = process.run(command, self._place.owner, self._place.folder, text)
            if result.returncode != 0:
                shutil.rmtree(cluster, ignore_errors=True)
                raise process.failure("PostgreSQL's cluster", result.stderr, DatabaseUnavailable)

    def _check_version(self) -> None:
        file = self._cluster / "PG_VERSION"
        with storage_errors(file):
            version = file.read_text().strip() if file.exists() else POSTGRES_MAJOR
        if version != POSTGRES_MAJOR:
            raise ConfigurationError(
                f"{self._cluster} was made by PostgreSQL {version} and this is {POSTGRES_MAJOR}: move the folder away, "
                "or set SMARTTALKER_DATABASE_URL to a server that can read it"
            )

    def _pid_file(self) -> _PidFile | None:
        try:
            lines = (self._cluster / "postmaster.pid").read_text().splitlines()
            status = lines[7].strip() if len(lines) > 7 else ""
            return _PidFile(int(lines[0]), lines[4] if len(lines) > 4 else "", status == "ready")
        except (OSError, ValueError, IndexError):
            return None

    def _is_ours(self, pid: int) -> bool:
        return process.alive(pid) and process.works_in(pid, self._cluster)

    def _answers(self) -> bool:
        return ask(self._socket, _SSL_REQUEST) in (b"N", b"S")


def _first_number(file: Path) -> int | None:
    try:
        return int(file.read_text().split()[0])
    except (OSError, ValueError, IndexError):
        return None


def ask(path: Path, question: bytes) -> bytes:
    """What a server says first on its socket; empty where nobody answers within five seconds."""
    try:
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(5.0)
            client.connect(str(path))
            client.sendall(question)
            return client.recv(64)
    except OSError:
        return b""
