"""What a confined process can still do: `python -m tests.confined decoder|adding` prints it, and
`python -m tests.confined spin|sleep|live SECONDS` computes or lives longer than it may, or lives as it may."""

from __future__ import annotations

import errno
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from core import decoder
from core.confining import confine
from worker import confined

LIMITS = {
    "decoder": decoder.LIMITS,
    "adding": confined.LIMITS,
    "spin": replace(decoder.LIMITS, cpu_s=1),
    "sleep": replace(decoder.LIMITS, wall_s=1),
    "live": decoder.LIMITS,
}


def outcome(attempt: Callable[[], object]) -> str:
    """The error's name, or what came of it."""
    try:
        return str(attempt())
    except OSError as error:
        return errno.errorcode.get(error.errno or 0, "OSError")
    except MemoryError:
        return "MemoryError"


def opened() -> int:
    """How many files can be open beside those that are."""
    files = []
    try:
        while len(files) < 10_000:
            files.append(os.open(os.devnull, os.O_RDONLY))
    except OSError:
        return len(files)
    finally:
        for file in files:
            os.close(file)
    return len(files)


def written() -> int:
    with tempfile.TemporaryFile(buffering=0) as file:
        return file.truncate(1 << 30)


def forked() -> int:
    child = os.fork()
    if child == 0:
        os._exit(0)
    return os.waitpid(child, 0)[1]


def threaded() -> str:
    """Libraries need threads."""
    thread = threading.Thread(target=time.sleep, args=(0,))
    thread.start()
    thread.join()
    return "done"


ATTEMPTS: dict[str, Callable[[], object]] = {
    "connect": lambda: socket.create_connection(("127.0.0.1", 9)),
    "local socket": lambda: socket.socket(socket.AF_UNIX),
    "program": lambda: os.execv("/bin/true", ["true"]),
    "child program": lambda: subprocess.run(["/bin/true"], check=True),
    "process": forked,
    "signal": lambda: os.kill(os.getppid(), signal.SIGCONT),
    "memory": lambda: len(bytearray(5 << 30)),
    "file": written,
    "files": opened,
    "thread": threaded,
    "read": lambda: len(Path(__file__).read_bytes()) > 0,
}


def main(what: str, seconds: str = "0") -> None:
    confine(LIMITS[what])
    until = time.monotonic() + float(seconds)
    while time.monotonic() < until:
        if what != "spin":
            time.sleep(0.05)
    print(json.dumps({name: outcome(attempt) for name, attempt in ATTEMPTS.items()}))


if __name__ == "__main__":
    main(*sys.argv[1:])
