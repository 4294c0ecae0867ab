"""A clone with an empty home and empty caches to a finished demo."""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path

from bench.figures import Figures
from bench.stack import own_folder
from core.errors import SurroundingsError
from core.settings import HOME

LIMIT_S = 900
_REMOVE = (
    "from core.embedded import find_place; from core.settings import read_settings;"
    " find_place(read_settings().data_dir).remove()"
)


def measure() -> Figures:
    """What is committed is cloned. Raises SurroundingsError with what the demo said last."""
    with own_folder() as folder:
        clone, home = folder / "clone", folder / "home"
        home.mkdir()
        environment = _empty(home)
        began = time.perf_counter()
        _run(["git", "clone", "--quiet", "--local", "--no-hardlinks", str(HOME), str(clone)], folder, environment)
        try:
            _run(["make", "demo"], clone, environment)
            spent = time.perf_counter() - began
            again = time.perf_counter()
            _run(["make", "demo"], clone, environment)
            second = time.perf_counter() - again
        finally:
            _remove_servers(clone, environment)
    return {"demo_fresh_s": spent, "demo_fresh_second_s": second}


def _empty(home: Path) -> dict[str, str]:
    """No settings, no virtual environment, and nothing of the caller's home or caches."""
    gone = ("SMARTTALKER_", "XDG_", "UV_CACHE", "PIP_CACHE", "VIRTUAL_ENV", "PYTHON", "MAKE", "MFLAGS")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(gone)}
    return {**kept, "HOME": str(home)}


def _run(command: list[str], cwd: Path, environment: dict[str, str]) -> None:
    ended = subprocess.run(
        command, cwd=cwd, env=environment, capture_output=True, text=True, timeout=LIMIT_S, check=False
    )
    if ended.returncode:
        said = (ended.stderr or ended.stdout).strip().splitlines()[-3:]
        raise SurroundingsError(f"`{' '.join(command[:2])}` failed: {' '.join(said)}")


def _remove_servers(clone: Path, environment: dict[str, str]) -> None:
    """As root they lie outside the clone."""
    python = clone / ".venv" / "bin" / "python"
    if python.exists():
        subprocess.run([python, "-c", _REMOVE], cwd=clone, env=environment, capture_output=True, check=False)
