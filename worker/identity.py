"""Who a worker is: the same name again after a restart, and never two of one name at once."""

from __future__ import annotations

import fcntl
import socket
from pathlib import Path
from typing import IO

from core.errors import StorageError

SLOTS = 64


class Identity:
    """`<host>:<role>-<n>`, n being the first number whose lock file under DATA_DIR nobody holds.

    The kernel drops the lock when the process dies, so a restarted process gets its old name, and with it the right
    to take back the leases that stand under it.
    """

    def __init__(self, data_dir: Path, role: str) -> None:
        """Raises StorageError."""
        self._file, self.number = self._first_free(data_dir / "run", role)
        self.name = f"{socket.gethostname()}:{role}-{self.number}"

    def _first_free(self, folder: Path, role: str) -> tuple[IO[bytes], int]:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            for number in range(SLOTS):
                file = (folder / f"{role}-{number}.lock").open("ab")
                try:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    return file, number
                except BlockingIOError:
                    file.close()
        except OSError as error:
            raise StorageError(f"{folder}: {error.strerror}") from error
        raise StorageError(f"{SLOTS} {role} processes already share {folder}")
