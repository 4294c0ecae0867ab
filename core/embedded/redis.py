"""The embedded Redis: the doorbell, reached over a Unix socket alone. PostgreSQL is the truth, so nothing is saved."""

from __future__ import annotations

import signal
from urllib.parse import quote

from core.embedded import process
from core.embedded.place import Place, storage_errors
from core.embedded.postgres import ask
from core.embedded.programs import redis_program
from core.errors import QueueUnavailable

_START_S = 20.0
_CONFIGURATION = """\
port 0
unixsocket {run}/redis.sock
unixsocketperm 700
pidfile {run}/redis.pid
save ""
appendonly no
maxmemory 256mb
maxmemory-policy noeviction
databases 16
loglevel warning
"""


class Redis:
    """Keeps the contract of `core.embedded.ownership.Server`."""

    name = "redis"

    def __init__(self, place: Place) -> None:
        self._place = place
        self._folder = place.folder / "redis"
        self._socket = place.run / "redis.sock"
        self._pid_path = place.run / "redis.pid"
        self._log = place.folder / "redis.log"

    @property
    def url(self) -> str:
        return f"unix://{quote(str(self._socket), safe='/')}"

    def running(self) -> bool:
        return self._socket.exists() and ask(self._socket, b"PING\r\n").startswith(b"+PONG")

    def start(self) -> None:
        """Raises StorageError or QueueUnavailable."""
        self.stop()
        with storage_errors(self._folder):
            self._place.owned(self._folder)
            self._place.owned(self._place.run)
            self._pid_path.unlink(missing_ok=True)
            configuration = self._place.folder / "redis.conf"
            configuration.write_text(_CONFIGURATION.format(run=self._place.run), encoding="utf-8")
            configuration.chmod(0o644)
            written = self._log.stat().st_size if self._log.exists() else 0
            command = [redis_program(), configuration]
            pid = process.spawn(command, self._place.owner, self._folder, self._log)
        process.wait_until(lambda: self.running() or not process.alive(pid), _START_S)
        if not self.running():
            process.end(pid, (signal.SIGKILL, 5.0))
            raise process.failure("Redis", process.tail(self._log, written), QueueUnavailable)

    def stop(self) -> None:
        pid = self._pid()
        if pid is not None and process.alive(pid) and process.works_in(pid, self._folder):
            process.end(pid, (signal.SIGTERM, 5.0), (signal.SIGKILL, 5.0))

    def _pid(self) -> int | None:
        """Redis writes its pid only where it is told a file; the file stays after a kill."""
        try:
            return int(self._pid_path.read_text())
        except (OSError, ValueError):
            return None
