"""Starting, finding and ending a server process that outlives whoever started it."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from core.embedded.place import Owner
from core.errors import DatabaseUnavailable, QueueUnavailable, StorageError

_STORAGE_WORDS = ("No space left on device", "Read-only file system", "Permission denied", "Disk quota exceeded")
_LOG_LIMIT = 1 << 20


def run(command: Sequence[str | Path], owner: Owner, cwd: Path, stdin: str = "") -> subprocess.CompletedProcess[str]:
    """Runs a program of a server's to its end, as the owner and with none of the caller's `PG*` variables."""
    return subprocess.run(
        command, input=stdin, capture_output=True, text=True, cwd=cwd, env=clean_environment(), check=False,
        start_new_session=True, user=owner.uid, group=owner.gid, extra_groups=owner.groups,
    )  # fmt: skip


def spawn(command: Sequence[str | Path], owner: Owner, cwd: Path, log: Path) -> int:
    """Starts a server and gives its pid.

    The shell between leaves it to init, in a session of its own: the terminal's Ctrl-C does not reach it, no zombie of
    it stays with us, and it lives on when its starter is killed.
    """
    with log.open("ab" if _size(log) < _LOG_LIMIT else "wb") as file:
        shell = subprocess.run(
            ["/bin/sh", "-c", '"$@" </dev/null >&2 & echo $!', "sh", *command], stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=file, text=True, cwd=cwd, env=clean_environment(), check=True,
            start_new_session=True, user=owner.uid, group=owner.gid, extra_groups=owner.groups,
        )  # fmt: skip
    return int(shell.stdout)


def clean_environment() -> dict[str, str]:
    return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"}


def alive(pid: int) -> bool:
    """Whether the process runs; one that has ended and waits for its parent (a zombie) does not."""
    try:
        os.kill(pid, 0)
        return Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()[0] != b"Z"
    except PermissionError:
        return True
    except FileNotFoundError:
        return not Path("/proc/self").exists()
    except ProcessLookupError:
        return False


def works_in(pid: int, folder: Path) -> bool:
    """Whether the process's working directory is the folder: pids are given out again, folders are ours."""
    try:
        return str(Path(f"/proc/{pid}/cwd").readlink()).removesuffix(" (deleted)") == str(folder)
    except OSError:
        return not Path("/proc/self").exists()


def wait_until(done: Callable[[], bool], seconds: float, pause: float = 0.01) -> bool:
    deadline = time.monotonic() + seconds
    while not done():
        if time.monotonic() > deadline:
            return False
        time.sleep(pause)
    return True


def end(pid: int, *steps: tuple[signal.Signals, float]) -> None:
    """Sends each signal in turn, with the seconds that it is given, until the process is gone."""
    for number, seconds in steps:
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            return
        if wait_until(lambda: not alive(pid), seconds):
            return


def failure(
    what: str, output: str, error: type[DatabaseUnavailable | QueueUnavailable]
) -> DatabaseUnavailable | QueueUnavailable | StorageError:
    """The error for a server that did not start, in one line, from what it wrote."""
    lines = [line for line in output.splitlines() if line.strip()]
    storage = next((line for line in reversed(lines) if any(word in line for word in _STORAGE_WORDS)), None)
    if storage:
        return StorageError(f"{what} can't write: {storage.strip()}")
    telling = [line for line in lines if "FATAL" in line or "error" in line.lower()] or lines or ["it wrote nothing"]
    return error(f"{what} did not start: {telling[-1].strip()}")


def tail(log: Path, start: int) -> str:
    """What was written to a log since it was `start` bytes long."""
    with log.open("rb") as file:
        file.seek(start if start < _LOG_LIMIT else 0)
        return file.read(_LOG_LIMIT).decode(errors="replace")


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0
