"""Who uses a server: any number of processes, and the last to leave stops it.

Two lock files. The *door* is held for the moment in which somebody comes or goes, so no two start or stop a server at
once. Each user holds a shared lock on *users*; the kernel takes it back however the process ends. Whoever leaves and
then gets *users* for itself alone was the last. A server that only killed processes used runs on: the next user
attaches to it, and stops it at its end.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from core.embedded.place import storage_errors


class Server(Protocol):
    """A server in a folder; none of the methods is called by two processes at once."""

    name: str

    def running(self) -> bool:
        """Whether it answers on its socket."""

    def start(self) -> None:
        """Returns when it answers: waits for one that is about to, else ends what is left of it and starts it."""

    def stop(self) -> None:
        """Ends it if it runs; returns when it is gone."""


class SharedServer:
    """One process's share in a server."""

    def __init__(self, server: Server, folder: Path) -> None:
        self.server = server
        self._door = folder / f"{server.name}.door"
        self._users_path = folder / f"{server.name}.users"
        self._users: int | None = None

    def join(self) -> None:
        """Starts the server, or attaches to the one that runs."""
        with self._inside():
            self._users = _open(self._users_path)
            fcntl.flock(self._users, fcntl.LOCK_SH)
            try:
                self._start_if_away()
            except BaseException:
                self._let_go()
                raise

    def ensure(self) -> bool:
        """Has the server answer again if it does not (see `Server.start`); whether that was so."""
        if self.server.running():
            return False
        with self._inside():
            return self._start_if_away()

    def leave(self) -> None:
        """Stops the server if nobody else uses it."""
        if self._users is None:
            return
        with self._inside():
            try:
                fcntl.flock(self._users, fcntl.LOCK_EX | fcntl.LOCK_NB)
                self.server.stop()
            except BlockingIOError:
                pass
            finally:
                self._let_go()

    def _start_if_away(self) -> bool:
        if self.server.running():
            return False
        self.server.start()
        return True

    def _let_go(self) -> None:
        if self._users is not None:
            os.close(self._users)
            self._users = None

    @contextmanager
    def _inside(self) -> Iterator[None]:
        door = _open(self._door)
        try:
            fcntl.flock(door, fcntl.LOCK_EX)
            yield
        finally:
            os.close(door)


def _open(path: Path) -> int:
    with storage_errors(path):
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
