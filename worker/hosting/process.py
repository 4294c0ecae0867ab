"""One running host: its process with all that it started, the socket to it, what it printed, and how it ended."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from core.logging import get_logger
from worker.hosting.channel import Channel
from worker.hosting.launching import launched
from worker.hosting.memory import MemoryWatch, killed_for_memory
from worker.hosting.program import Program
from worker.hosting.tail import Tail

log = get_logger(__name__)

_ROOT = Path(__file__).parents[2]
_BOOT = Path(__file__).with_name("boot.py")
_REAP_S = 5.0
"""A killed process whose driver holds it for longer is left to the tail's thread."""
_READ_S = 0.5


@dataclass(frozen=True)
class Fate:
    """How a host ended, in words that follow its name; exhausted: memory did not suffice."""

    text: str
    exhausted: bool = False


class HostProcess:
    """Leads a session of its own, so that what it started ends with it."""

    def __init__(self, name: str, program: Program, patience_s: float) -> None:
        """Started, with nothing made yet. Raises OSError."""
        self._killed_before = killed_for_memory()
        ours, theirs = socket.socketpair()
        try:
            self._popen = launched(lambda: _popen(name, program, theirs), patience_s)
        except BaseException:
            ours.close()
            raise
        assert self._popen.stdout is not None
        self.name, self.pid, self._owner = name, self._popen.pid, os.getpid()
        self._lock = threading.RLock()
        self._doom: Fate | None = None
        self._closed = self._abandoned = self._read_out = False
        self.channel = Channel(ours, self.ended)
        self._most_mb = program.memory_mb
        self._watch = MemoryWatch(self.pid, program.memory_mb, self._beyond) if program.memory_mb else None
        self.tail = Tail(self._popen.stdout, self.ended, self._gone)

    def ended(self) -> bool:
        """Asked from any thread. What an ended host started is killed before its number is given back."""
        with self._lock:
            if self._popen.returncode is not None:
                return True
            with suppress(ChildProcessError):
                if os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
                    return False
            self._kill_group()
            self._popen.poll()
            return True

    def ended_within(self, most_s: float) -> bool:
        """Waits for its end."""
        until, pause_s = time.monotonic() + most_s, 0.0005
        while not self.ended() and (left := until - time.monotonic()) > 0:
            time.sleep(min(pause_s, left))
            pause_s = min(2 * pause_s, 0.02)
        return self.ended()

    def kill(self, why: Fate) -> None:
        """From any thread, and without waiting; why: what `fate` says from then on, unless it has ended by itself."""
        with self._lock:
            if not self.ended():
                self._doom = self._doom or why
                self._kill_group()

    def fate(self) -> Fate:
        """Of one that has ended."""
        if self._doom is not None:
            return self._doom
        code = self._popen.returncode
        if code == -signal.SIGKILL and self._lacked_memory():
            return Fate("was killed by the kernel for want of memory: free some, or name a smaller engine", True)
        if code == -signal.SIGKILL:
            return Fate("was killed from outside; the next call starts it anew")
        if code is not None and code < 0:
            return Fate(f"died of {_signal(-code)}; the next call starts it anew")
        return Fate(f"ended with code {code}; the next call starts it anew")

    def close(self) -> None:
        """Idempotent: kills it, waits for its end, and gives back what belongs to it."""
        with self._lock:
            closed, self._closed = self._closed, True
        if closed or self._owner != os.getpid():
            return
        if self._watch is not None:
            self._watch.drop()
        self.kill(Fate("was stopped"))
        if not self.ended_within(_REAP_S):
            log.warning("host_lingers", host=self.name, pid=self.pid)
        self.tail.wait(_READ_S)
        self.channel.close()

    def abandon(self) -> None:
        """Without waiting, wherever the last that referred to it happened to go: the tail's thread closes the rest."""
        if self._owner != os.getpid():
            return
        with self._lock:
            self._abandoned = True
            self.kill(Fate("was abandoned"))
            read_out = self._read_out
        if read_out:
            self.close()

    def disown(self) -> None:
        """In a copy of the process that started it: the host is not ours."""
        self._popen.returncode = self._popen.returncode or 0
        self.channel.close()
        if self._popen.stdout is not None:
            self._popen.stdout.close()

    def _lacked_memory(self) -> bool:
        """Whether that may be why it was killed: the kernel has killed somebody for it since, or does not tell."""
        killed = killed_for_memory()
        return killed is None or killed != self._killed_before

    def _gone(self) -> None:
        """In the tail's thread, which ends here."""
        with self._lock:
            self._read_out = True
            abandoned = self._abandoned
        if abandoned:
            self.close()

    def _beyond(self, held_mb: int) -> None:
        text = f"grew to {held_mb} MB of memory, over the {self._most_mb} that it may hold, and was killed"
        self.kill(Fate(f"{text}; the next call starts it anew", exhausted=True))

    def _kill_group(self) -> None:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)


def _popen(name: str, program: Program, connection: socket.socket) -> subprocess.Popen[bytes]:
    """connection: its end of the socket, closed here."""
    with connection:
        return subprocess.Popen(
            _command(name, program),
            stdin=connection.fileno(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            bufsize=0,
            env=program.environment,
            start_new_session=True,
        )


def _command(name: str, program: Program) -> list[str]:
    package = program.served.partition(":")[0].partition(".")[0]
    start = [str(program.python), "-I", "-X", "utf8", str(_BOOT), str(os.getpid()), name, str(_ROOT)]
    return [*start, f"worker,core,{package}", *program.paths]


def _signal(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
