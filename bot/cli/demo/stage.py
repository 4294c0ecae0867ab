"""The processes of `smarttalker up` as a child of a command that needs them for a while (`demo`, `bench`).

`python -m bot.cli.demo.stage <parent's pid> <process or platform> …` runs the named processes, and simulators of the
named platforms, under a supervisor which ends when its parent does. `Stage` is the parent's handle on it.
"""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from core.errors import SurroundingsError
from core.lifeline import die_with_parent

PROCESSES = ("bot", "courier", "render")
START_S = 120.0
"""A first start makes a database cluster and loads every engine."""
LOOK_S = 0.5
ENDED, MOST_RESTARTS = b'"event": "process ended"', 5
"""The supervisor's word for a process that ended by itself, and how often it may come before we give up."""
STOP_S = 40.0
"""The supervisor gives its processes 30 s to drain."""


class Stage:
    """Starts on `start`, says where it answers, stops on `stop`; a context manager stops it in any case."""

    def __init__(
        self,
        log: Path,
        environment: Mapping[str, str],
        processes: Sequence[str] = PROCESSES,
        cwd: Path | None = None,
        platforms: Sequence[str] = (),
    ) -> None:
        """log: where the processes' logs go. environment: all of theirs. cwd: the folder whose `.env` counts.
        platforms: those to simulate; `urls` has their addresses once it is ready."""
        self._log = log
        self._environment = dict(environment)
        self._processes = processes
        self._cwd = cwd
        self._platforms = platforms
        self.urls: dict[str, str] = {}
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """The supervisor's; its children are the processes."""
        assert self._process is not None
        return self._process.pid

    def __enter__(self) -> Stage:
        return self

    def __exit__(self, *_error: object) -> None:
        self.stop()

    def start(self) -> None:
        """Returns at once."""
        command = [sys.executable, "-m", "bot.cli.demo.stage", str(os.getpid()), *self._processes, *self._platforms]
        with self._log.open("wb") as log:
            # A session of its own: the terminal's Ctrl-C reaches the command alone, which then stops the stage.
            self._process = subprocess.Popen(
                command,
                env=self._environment,
                cwd=self._cwd,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
                start_new_session=True,
            )

    def address(self, within_s: float = START_S) -> str:
        """Where it answers, as soon as GET /readyz says 200. Raises SurroundingsError with the reason."""
        assert self._process is not None
        assert self._process.stdout is not None
        deadline = time.monotonic() + within_s
        while not select.select([self._process.stdout], [], [], LOOK_S)[0]:
            if self._log.read_bytes().count(ENDED) > MOST_RESTARTS:
                raise SurroundingsError(self.reason())
            if time.monotonic() > deadline:
                raise SurroundingsError(f"nothing was ready after {within_s:.0f} s; the log is {self._log}")
        line = self._process.stdout.readline().decode().strip()
        if not line:
            self._process.wait()
            raise SurroundingsError(self.reason())
        _, address, *urls = line.split(" ")
        self.urls = dict(url.split("=", 1) for url in urls)
        return address

    def check(self, within_s: float = 0.0) -> None:
        """Raises SurroundingsError with the reason where the supervisor has ended by itself, or does within so long."""
        if self._process is None:
            return
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(within_s)
            raise SurroundingsError(self.reason())

    def reason(self) -> str:
        """The first `error:` line that the processes left, else where their log is."""
        lines = self._log.read_text(encoding="utf-8", errors="replace").splitlines()
        said = [line.removeprefix("error: ") for line in lines if line.startswith("error: ")]
        return said[0] if said else f"the processes ended; their log is {self._log}"

    def stop(self) -> None:
        """Asks the supervisor to stop everything, waits for it; idempotent. A second Ctrl-C kills what is left."""
        if self._process is None:
            return
        process, self._process = self._process, None
        process.terminate()
        try:
            process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            pass
        finally:
            # Also on the way out of a second Ctrl-C.
            _end(process)
        if process.stdout is not None:
            process.stdout.close()


def _end(process: subprocess.Popen[bytes]) -> None:
    """A second signal has the supervisor kill its processes and then stop the servers; after 5 s it is killed too."""
    if process.poll() is None:
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(5.0)
        process.kill()
        process.wait()


def main() -> None:
    """The supervisor's own process."""
    die_with_parent(int(sys.argv[1]), signal.SIGTERM)
    from bot.cli.errors import one_line_errors
    from bot.cli.simulation import simulate
    from core.logging import configure_logging
    from core.settings import read_settings
    from core.supervisor import Supervisor, own_commands
    from db.migrate import upgrade

    with one_line_errors():
        settings = read_settings()
        configure_logging("up", settings)
        own = {name: command for name, command in own_commands().items() if name in sys.argv[2:]}
        simulation = simulate(settings, [name for name in sys.argv[2:] if name not in PROCESSES])
        commands = {**simulation.commands, **own}

        def say(address: str) -> None:
            print(" ".join(["ready", address, *(f"{name}={url}" for name, url in simulation.urls.items())]), flush=True)

        Supervisor(simulation.settings, commands, lambda complete: upgrade(complete.database_url), say).run()


if __name__ == "__main__":
    main()
