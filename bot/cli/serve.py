"""Running the processes: each alone, or all under the supervisor."""

from __future__ import annotations

import importlib
import os
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import FrameType

from bot.cli.simulation import simulate
from core.embedded import embedded_servers
from core.lifeline import die_with_parent
from core.logging import configure_logging
from core.settings import Settings, read_settings
from core.supervisor import PARENT, Supervisor, check_port, own_commands

_MODULES = {"bot": "bot.app", "courier": "worker.courier", "render": "worker.render"}


def run_all(settings: Settings, platforms: Sequence[str] = ()) -> None:
    """Returns when a signal has stopped everything. platforms: those to simulate."""
    configure_logging("up", settings)
    simulation = simulate(settings, platforms)
    commands = {**simulation.commands, **own_commands()}

    def say(address: str) -> None:
        _say_ready(address)
        for name, url in simulation.urls.items():
            print(f"The simulator of {name} answers at {url}/control", flush=True)

    Supervisor(simulation.settings, commands, _prepare, say).run()


def run_process(name: str) -> None:
    """Runs one of the three; alone, it sees to servers and tables itself."""
    supervisor = os.environ.get(PARENT)
    if supervisor:
        die_with_parent(int(supervisor))
    settings = read_settings()
    configure_logging(name, settings)
    if supervisor:
        importlib.import_module(_MODULES[name]).main(settings)
        return
    if name == "bot":
        check_port(settings.host, settings.port)
    with stopped_by_signals(), embedded_servers(settings) as complete:
        _prepare(complete)
        importlib.import_module(_MODULES[name]).main(complete)


def run_migrations(settings: Settings) -> None:
    with stopped_by_signals(), embedded_servers(settings) as complete:
        _prepare(complete)


def _prepare(settings: Settings) -> None:
    from db.migrate import upgrade

    upgrade(settings.database_url)


def _say_ready(address: str) -> None:
    print(f"SmartTalker answers at {address}", flush=True)


@contextmanager
def stopped_by_signals() -> Iterator[None]:
    """SIGTERM, SIGHUP and Ctrl-C end the process by SystemExit, so that the servers are stopped on the way out."""

    def stop(number: int, _frame: FrameType | None) -> None:
        sys.exit(128 + number)

    previous = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
