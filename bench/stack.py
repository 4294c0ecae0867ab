"""The whole of SmartTalker for one measurement: servers, processes and data of its own, gone at its end."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from bot.cli.demo.stage import PROCESSES, Stage
from core.embedded import embedded_servers, find_place
from core.settings import Settings
from core.supervisor import PARENT, own_commands

FAKES = {
    "SMARTTALKER_ASR": "fake",
    "SMARTTALKER_EMOTION": "fake",
    "SMARTTALKER_LLM": "fake",
    "SMARTTALKER_TTS": "fake-brief",
    "SMARTTALKER_VIDEO": "fake",
    "SMARTTALKER_UPSCALE": "fake",
}
"""Engines that cost nothing, and a video of one frame."""
REAL: Mapping[str, str] = {}
"""The profile `cpu` as it is."""
UNLIMITED = {
    "SMARTTALKER_USER_OPEN": "0",
    "SMARTTALKER_USER_VIDEO_S": "0",
    "SMARTTALKER_QUEUE_LIMIT": "0",
    "SMARTTALKER_GATHER_S": "0",
}
"""No load that a measurement makes is refused, nor held back to be answered as one."""


@dataclass(frozen=True)
class Stack:
    """address: of the web process. settings: with the URLs of both servers. stage: the supervisor's handle.
    environment: all of its processes'. folder: where they start.
    """

    address: str
    settings: Settings
    stage: Stage
    environment: Mapping[str, str]
    folder: Path

    def processes(self) -> dict[str, psutil.Process]:
        """bot, courier and render by name; those that run."""
        found = {}
        for child in psutil.Process(self.stage.pid).children():
            with suppress(psutil.NoSuchProcess):
                found[child.cmdline()[-1]] = child
        return found

    @contextmanager
    def others(self, name: str, count: int) -> Iterator[list[psutil.Popen]]:
        """So many more processes of a kind, which nobody starts again; killed at the end, each with its children."""
        environment = {**self.environment, PARENT: str(os.getpid())}
        with (self.folder / f"other-{name}.jsonl").open("ab") as log:
            started = [
                psutil.Popen(
                    own_commands()[name],
                    env=environment,
                    cwd=self.folder,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,
                )
                for _ in range(count)
            ]
        try:
            yield started
        finally:
            for process in started:
                end(process)


def end(process: psutil.Popen) -> None:
    """Kills it and its children, where it still runs."""
    with suppress(psutil.NoSuchProcess):
        for each in [process, *process.children(recursive=True)]:
            with suppress(psutil.NoSuchProcess):
                each.kill()
    process.wait(10)


def plain_environment(data_dir: Path) -> dict[str, str]:
    """The caller's without its settings: nobody's own choices reach a measurement."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("SMARTTALKER_")}
    return {
        **kept,
        "SMARTTALKER_DATA_DIR": str(data_dir),
        "SMARTTALKER_HOST": "127.0.0.1",
        "SMARTTALKER_PORT": "0",
        "SMARTTALKER_LOG_LEVEL": "warning",
    }


@contextmanager
def own_folder() -> Iterator[Path]:
    """A temporary folder, for DATA_DIR or around it; embedded servers of `<folder>/data` go with it."""
    folder = Path(tempfile.mkdtemp(prefix="smarttalker-bench-"))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        if (folder / "data").exists():
            find_place(folder / "data").remove()
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def servers(folder: Path) -> Iterator[Settings]:
    """PostgreSQL and Redis for the data in the folder; settings with their URLs. Raises SurroundingsError."""
    data = folder / "data"
    data.mkdir(exist_ok=True)
    own: dict[str, Any] = {"_env_file": None, "database_url": "", "redis_url": "", "data_dir": data}
    with embedded_servers(Settings(**own)) as settings:
        yield settings


@contextmanager
def running(engines: Mapping[str, str], folder: Path, processes: Sequence[str] = PROCESSES) -> Iterator[Stack]:
    """engines: FAKES or REAL, and other settings beside. Raises SurroundingsError with the reason where the stack does
    not start."""
    with ExitStack() as stack:
        settings = stack.enter_context(servers(folder))
        urls = {"SMARTTALKER_DATABASE_URL": settings.database_url, "SMARTTALKER_REDIS_URL": settings.redis_url}
        # The folder is also where the processes start, so that no `.env` is read.
        environment = {**plain_environment(settings.data_dir), **UNLIMITED, **engines, **urls}
        stage = Stage(folder / "log.jsonl", environment, processes, cwd=folder)
        stack.enter_context(stage)
        stage.start()
        yield Stack(stage.address(), settings, stage, environment, folder)
