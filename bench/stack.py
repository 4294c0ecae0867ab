"""The whole of SmartTalker for one measurement: servers, processes and data of its own, gone at its end."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from bot.cli.demo.stage import PROCESSES, Stage
from core.embedded import embedded_servers, find_place
from core.settings import Settings

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


@dataclass(frozen=True)
class Stack:
    """address: of the web process. settings: with the URLs of both servers. stage: the supervisor's handle."""

    address: str
    settings: Settings
    stage: Stage

    def processes(self) -> dict[str, psutil.Process]:
        """bot, courier and render by name."""
        children = psutil.Process(self.stage.pid).children()
        return {child.cmdline()[-1]: child for child in children}


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
def running(engines: Mapping[str, str], folder: Path, processes: Sequence[str] = PROCESSES) -> Iterator[Stack]:
    """engines: FAKES or REAL. Raises SurroundingsError with the reason where the stack does not start."""
    data = folder / "data"
    data.mkdir(exist_ok=True)
    with ExitStack() as stack:
        own: dict[str, Any] = {"_env_file": None, "database_url": "", "redis_url": "", "data_dir": data}
        settings = stack.enter_context(embedded_servers(Settings(**own)))
        urls = {"SMARTTALKER_DATABASE_URL": settings.database_url, "SMARTTALKER_REDIS_URL": settings.redis_url}
        # The folder is also where the processes start, so that no `.env` is read.
        stage = Stage(folder / "log.jsonl", {**plain_environment(data), **engines, **urls}, processes, cwd=folder)
        stack.enter_context(stage)
        stage.start()
        yield Stack(stage.address(), settings, stage)
