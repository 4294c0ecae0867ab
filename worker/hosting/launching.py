"""Starting processes from one thread that lives as long as we do.

A process that is to die with its parent (core.lifeline) dies with the *thread* that started it: prctl(2),
PR_SET_PDEATHSIG. Turns run in threads that end.
"""

from __future__ import annotations

import os
import queue
import subprocess
import threading
from collections.abc import Callable

Start = Callable[[], "subprocess.Popen[bytes]"]


class _Launch:
    """One process to be started for somebody who may stop waiting for it."""

    def __init__(self, start: Start) -> None:
        self._start = start
        self._lock = threading.Lock()
        self._done = threading.Event()
        self._given_up = False
        self._process: subprocess.Popen[bytes] | None = None
        self._error: Exception | None = None

    def run(self) -> None:
        try:
            process = self._start()
        except Exception as error:
            self._error = error
        else:
            with self._lock:
                self._process = process
                if self._given_up:
                    process.kill()
                    process.communicate()
        self._done.set()

    def result(self, patience_s: float) -> subprocess.Popen[bytes]:
        if not self._done.wait(patience_s):
            with self._lock:
                self._given_up = self._process is None
        if self._error is not None:
            raise self._error
        if self._process is None or self._given_up:
            raise TimeoutError("the system did not start the process in time")
        return self._process


class _Launcher:
    """The thread, started with the first launch."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._launches: queue.SimpleQueue[_Launch] | None = None

    def launch(self, start: Start, patience_s: float) -> subprocess.Popen[bytes]:
        launch = _Launch(start)
        with self._lock:
            if self._launches is None:
                self._launches = queue.SimpleQueue()
                threading.Thread(target=_work, args=(self._launches,), name="launcher", daemon=True).start()
            self._launches.put(launch)
        return launch.result(patience_s)


def _work(launches: queue.SimpleQueue[_Launch]) -> None:
    while True:
        launches.get().run()


_launcher = _Launcher()


def _anew() -> None:
    global _launcher
    _launcher = _Launcher()


os.register_at_fork(after_in_child=_anew)


def launched(start: Start, patience_s: float) -> subprocess.Popen[bytes]:
    """What `start` gives, called by that thread. Raises what it raises; TimeoutError where it took
    longer, and what comes of it is killed."""
    return _launcher.launch(start, patience_s)
