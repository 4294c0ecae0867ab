"""`smarttalker demo`, as a person runs it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from bot.cli.demo.checking import examine
from bot.cli.demo.screen import LAYERS
from bot.cli.demo.stage import Stage
from core.embedded import find_place
from core.errors import SurroundingsError
from core.settings import HOME

CODE = """
import sys, pathlib
from bot.cli.demo import main
from bot.cli.errors import one_line_errors
with one_line_errors():
    main(pathlib.Path(sys.argv[1]))
"""


class Demo:
    """The command with a data folder and an output folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.data, self.output = folder / "data", folder / "out"

    @contextmanager
    def running(self, **settings: str) -> Iterator[subprocess.Popen[str]]:
        environment = {**os.environ, "SMARTTALKER_DATA_DIR": str(self.data), **settings}
        command = [sys.executable, "-c", CODE, str(self.output)]
        pipe = subprocess.PIPE
        with subprocess.Popen(command, cwd=HOME, env=environment, stdout=pipe, stderr=pipe, text=True) as process:
            try:
                yield process
            finally:
                process.terminate()

    def left_behind(self) -> list[str]:
        """Processes that run with this data folder."""
        wanted = f"SMARTTALKER_DATA_DIR={self.data}"
        found = []
        for process in psutil.process_iter(["pid", "name"]):
            try:
                if wanted in [f"{name}={value}" for name, value in process.environ().items()]:
                    found.append(process.name())
            except psutil.Error:
                continue
        return found


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[Demo]:
    demo = Demo(tmp_path)
    yield demo
    if demo.data.exists():
        find_place(demo.data).remove()


def test_two_videos_come_out(demo: Demo) -> None:
    with demo.running() as process:
        said, wrong = process.communicate(timeout=200)
    assert process.returncode == 0, wrong
    assert wrong == ""
    for name in ("arabic", "english"):
        film = examine(demo.output / f"{name}.mp4")
        assert (film.width, film.height) == (512, 512)
        assert abs(film.picture_s - film.sound_s) <= 1 / film.fps
        assert str(demo.output / f"{name}.mp4") in said
        assert (demo.output / f"{name}.txt").read_text().strip()
    assert all(layer in said for layer in [*LAYERS, "total"])
    assert (demo.output / "question.ogg").stat().st_size > 1000
    assert demo.left_behind() == []


def test_a_failure_is_one_line(demo: Demo, database_url: str, redis_url: str) -> None:
    urls = {"SMARTTALKER_DATABASE_URL": database_url, "SMARTTALKER_REDIS_URL": redis_url}
    with demo.running(SMARTTALKER_VIDEO="nonesuch", **urls) as process:
        _, wrong = process.communicate(timeout=150)
    assert process.returncode == 1
    assert wrong.count("\n") == 1
    assert wrong.startswith("error: ")
    assert "SMARTTALKER_VIDEO=nonesuch" in wrong
    assert demo.left_behind() == []


def test_an_output_folder_that_can_not_be_made(demo: Demo) -> None:
    demo.output.parent.joinpath("out").write_text("a file is in the way")
    with demo.running() as process:
        _, wrong = process.communicate(timeout=150)
    assert process.returncode == 1
    assert wrong.count("\n") == 1
    assert wrong.startswith(f"error: {demo.output} ")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_stopped_in_the_middle(demo: Demo, database_url: str, redis_url: str, number: signal.Signals) -> None:
    with demo.running(SMARTTALKER_DATABASE_URL=database_url, SMARTTALKER_REDIS_URL=redis_url) as process:
        assert process.stdout is not None
        assert any("sent in Arabic" in line for line in process.stdout)
        process.send_signal(number)
        _, wrong = process.communicate(timeout=150)
    assert process.returncode == 128 + number
    assert "Traceback" not in wrong
    assert demo.left_behind() == []


def test_a_process_that_keeps_dying_is_not_waited_for(tmp_path: Path, database_url: str, redis_url: str) -> None:
    broken = tmp_path / "broken"
    (broken / "uvloop").mkdir(parents=True)
    (broken / "uvloop" / "__init__.py").write_text("raise ImportError('no loop here')")
    environment = {**os.environ, "PYTHONPATH": str(broken), "SMARTTALKER_DATA_DIR": str(tmp_path / "data")}
    urls = {"SMARTTALKER_DATABASE_URL": database_url, "SMARTTALKER_REDIS_URL": redis_url, "SMARTTALKER_PORT": "0"}
    with Stage(tmp_path / "log.jsonl", {**environment, **urls}, cwd=tmp_path) as stage:
        stage.start()
        with pytest.raises(SurroundingsError, match="no loop here"):
            stage.address(within_s=150)
