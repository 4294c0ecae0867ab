"""`smarttalker up`: the servers and the three processes, kept running until somebody says stop."""

from __future__ import annotations

import http.client
import os
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from types import FrameType

from pydantic import SecretStr

from core.embedded import EmbeddedServers
from core.errors import ConfigurationError, PortTaken, SmartTalkerError
from core.logging import get_logger
from core.settings import Settings

PARENT = "SMARTTALKER_SUPERVISOR_PID"
"""In a child's environment: whose end is its own (see `core.lifeline`)."""
EX_CONFIG = 78
"""A child's exit status where starting it again can't help: sysexits.h, `configuration error`."""

_FIRST_DELAY_S, _LAST_DELAY_S = 0.2, 10.0
_STEADY_S = 5.0
"""What can't work ends within a second or two of its start."""
_DRAIN_S = 30.0
_TICK_S = 1.0
_READY_POLL_S = 0.1

log = get_logger("supervisor")


@dataclass
class Child:
    """One process, started again with a growing delay; one that lived for a while starts at the shortest again."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    process: subprocess.Popen[bytes] | None = None
    delay: float = _FIRST_DELAY_S
    due: float = 0.0
    started: float = field(default=0.0)

    def start(self) -> None:
        # A session of its own: the terminal's Ctrl-C reaches the supervisor alone, which then asks each to drain.
        self.process = subprocess.Popen(
            self.command, env=dict(self.environment), stdin=subprocess.DEVNULL, start_new_session=True
        )
        self.started = time.monotonic()

    def reap(self) -> int | None:
        """The exit status, once, if the process has ended; the next start is then due after the delay."""
        if self.process is None or (status := self.process.poll()) is None:
            return None
        self.kill()
        self.process = None
        now = time.monotonic()
        if now - self.started >= _STEADY_S:
            self.delay = _FIRST_DELAY_S
        self.due = now + self.delay
        self.delay = min(2 * self.delay, _LAST_DELAY_S)
        return status

    def hurry(self) -> None:
        """What it lacked is there again."""
        self.delay = _FIRST_DELAY_S
        self.due = min(self.due, time.monotonic())

    def ask_to_stop(self) -> None:
        if self.process is not None:
            self.process.terminate()

    def kill(self) -> None:
        """Ends the process and what it started and left in its group."""
        if self.process is not None:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self.process.pid, signal.SIGKILL)


class Supervisor:
    """commands: name → argument list of each process. prepare: called with the complete settings before they start.

    ready: called once with the address, when the web process answers GET /readyz with 200. Raises PortTaken, or
    ConfigurationError for a host or port that can't be listened on.
    """

    def __init__(
        self,
        settings: Settings,
        commands: Mapping[str, Sequence[str]],
        prepare: Callable[[Settings], None],
        ready: Callable[[str], None],
    ) -> None:
        check_port(settings.host, settings.port)
        self._settings = settings.model_copy(update={"port": settings.port or free_port(settings.host)})
        self._servers = EmbeddedServers(self._settings)
        self._commands = commands
        self._prepare = prepare
        self._ready: Callable[[str], None] | None = ready
        self._stops = 0
        self._servers_due = 0.0
        self._children: list[Child] = []
        self._refused: str | None = None

    def run(self) -> None:
        """Returns after SIGTERM, SIGINT or SIGHUP, when all has stopped.

        Raises StorageError, DatabaseUnavailable, QueueUnavailable, or ConfigurationError where a process says that its
        settings are wrong.
        """
        with self._signals() as wake:
            try:
                settings = self._servers.join()
                if not self._stops:
                    self._prepare(settings)
                    self._children = list(children_of(settings, self._commands))
                while not self._stops and self._refused is None:
                    self._look_after()
                    select.select([wake], [], [], _READY_POLL_S if self._ready else _TICK_S)
                    drain_pipe(wake)
            finally:
                self._stop_children(wake)
                self._servers.leave()
        if self._refused is not None:
            raise ConfigurationError(f"{self._refused} refused to start; its reason is above")

    def _look_after(self) -> None:
        """One look at everything that should run."""
        now = time.monotonic()
        ended = {child.name: child.reap() for child in self._children}
        if now >= self._servers_due or any(status is not None for status in ended.values()):
            self._servers_due = now + _TICK_S
            self._restart_servers()
        for child in self._children:
            status = ended[child.name]
            if status == EX_CONFIG:
                self._refused = child.name
            elif status is not None:
                log.warning("process ended", name=child.name, status=status, restart_in_s=round(child.due - now, 1))
            if child.process is None and now >= child.due and self._refused is None:
                child.start()
        if self._ready and answers_ready(self._settings):
            self._ready(address(self._settings))
            self._ready = None

    def _restart_servers(self) -> None:
        try:
            for name in self._servers.ensure():
                log.warning("server did not answer; it does again", name=name)
                for child in self._children:
                    child.hurry()
        except SmartTalkerError as error:
            log.error("server can't be started", error=str(error))

    def _stop_children(self, wake: int) -> None:
        """Asks each to drain; after 30 seconds, or at a second signal, kills what is left."""
        asked, deadline = self._stops, time.monotonic() + _DRAIN_S
        for child in self._children:
            child.ask_to_stop()
        while any(child.process is not None for child in self._children):
            if time.monotonic() > deadline or self._stops > asked:
                for child in self._children:
                    child.kill()
            for child in self._children:
                child.reap()
            select.select([wake], [], [], 0.05)
            drain_pipe(wake)

    @contextmanager
    def _signals(self) -> Iterator[int]:
        """The end of a pipe that becomes readable at each signal, a child's end among them."""
        wake, write = os.pipe()
        os.set_blocking(wake, False)
        os.set_blocking(write, False)
        previous_fd = signal.set_wakeup_fd(write, warn_on_full_buffer=False)
        stopping = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
        previous = {number: signal.signal(number, self._on_stop) for number in stopping}
        previous[signal.SIGCHLD] = signal.signal(signal.SIGCHLD, lambda _number, _frame: None)
        try:
            yield wake
        finally:
            for number, handler in previous.items():
                signal.signal(number, handler)
            signal.set_wakeup_fd(previous_fd)
            os.close(wake)
            os.close(write)

    def _on_stop(self, _number: int, _frame: FrameType | None) -> None:
        self._stops += 1


def children_of(settings: Settings, commands: Mapping[str, Sequence[str]]) -> Iterator[Child]:
    environment = {**os.environ, **environment_of(settings), PARENT: str(os.getpid())}
    for name, command in commands.items():
        yield Child(name, command, environment)


def environment_of(settings: Settings) -> dict[str, str]:
    """Those settings that differ from the defaults, as a child reads them."""
    given = {name: getattr(settings, name) for name in settings.model_fields_set}
    given |= {"database_url": settings.database_url, "redis_url": settings.redis_url, "port": settings.port}
    given |= {"data_dir": settings.data_dir.absolute()}
    plain = {name: value.get_secret_value() if isinstance(value, SecretStr) else value for name, value in given.items()}
    return {f"SMARTTALKER_{name.upper()}": str(value) for name, value in plain.items() if value is not None}


def check_port(host: str, port: int) -> None:
    """Raises PortTaken, or ConfigurationError where the host is not this machine's or the port needs more rights."""
    try:
        family, kind, number, _, where = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, number) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(where)
            probe.listen()
    except PermissionError:
        raise ConfigurationError(f"port {port} needs more rights: set SMARTTALKER_PORT to 1024 or above") from None
    except socket.gaierror as error:
        raise ConfigurationError(f"SMARTTALKER_HOST {host}: {error.strerror}") from None
    except OSError as error:
        if "in use" in (error.strerror or ""):
            raise PortTaken(
                f"port {port} is taken: stop the other program, or choose another with SMARTTALKER_PORT"
            ) from None
        raise ConfigurationError(f"SMARTTALKER_HOST {host}: {error.strerror}") from None


def free_port(host: str) -> int:
    """A port that nobody uses now, for SMARTTALKER_PORT=0."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])


def reachable_host(settings: Settings) -> str:
    """An address at which this machine reaches a server that may listen everywhere."""
    return {"0.0.0.0": "127.0.0.1", "": "127.0.0.1", "::": "::1"}.get(settings.host, settings.host)  # noqa: S104


def address(settings: Settings) -> str:
    host = reachable_host(settings)
    return f"http://{f'[{host}]' if ':' in host else host}:{settings.port}"


def answers_ready(settings: Settings) -> bool:
    connection = http.client.HTTPConnection(reachable_host(settings), settings.port, timeout=2)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def drain_pipe(wake: int) -> None:
    with suppress(BlockingIOError):
        while os.read(wake, 4096):
            pass


def own_commands() -> dict[str, list[str]]:
    """The three processes, as this very installation starts them."""
    return {name: [sys.executable, "-m", "bot.cli", name] for name in ("bot", "courier", "render")}
