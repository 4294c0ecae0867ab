"""Other programs (Python, uv, pip) run for an environment: without our own around them, and never without a limit."""

from __future__ import annotations

import os
import subprocess
import threading
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path

Done = subprocess.CompletedProcess[str]

_KEPT_LINES = 200
_SAID_MOST = 600
_NOT_OURS = ("VIRTUAL_ENV", "PYTHONPATH", "PYTHONHOME")


def run(command: Sequence[str], limit_s: float) -> Done:
    """What it said and how it ended; killed after the limit. Raises OSError where it can't be started."""
    try:
        return subprocess.run(
            command, env=_settings(None), stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace",
            timeout=limit_s, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return _late(command, limit_s)


def followed(command: Sequence[str], limit_s: float, line: Callable[[str], None], beside: Path) -> Done:
    """As `run`, where each line is told as soon as it is said; stderr is the last of both streams. beside: the folder
    that packages go to; uv links them to there only where its cache lies on the same file system."""
    kept: deque[str] = deque(maxlen=_KEPT_LINES)
    with subprocess.Popen(
        command, env=_settings(beside), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        text=True, errors="replace",
    ) as process:  # fmt: skip
        late = threading.Event()

        def give_up() -> None:
            late.set()
            process.kill()

        timer = threading.Timer(limit_s, give_up)
        timer.start()
        try:
            for said in process.stdout or ():
                kept.append(said)
                line(said.strip())
        except BaseException:
            process.kill()
            raise
        finally:
            timer.cancel()
    return _late(command, limit_s) if late.is_set() else Done(command, process.returncode, "", "".join(kept))


def last_words(done: Done) -> str:
    """What it said at the end, in one line."""
    lines = [line.strip() for line in (done.stderr or done.stdout).splitlines() if line.strip()]
    return " ".join(lines[-4:])[-_SAID_MOST:] or f"it ended with {done.returncode}"


def _late(command: Sequence[str], limit_s: float) -> Done:
    return Done(command, 1, "", f"not done after {limit_s:g} s")


def _settings(beside: Path | None) -> dict[str, str]:
    """With a model's hubs switched off: an environment is no place to download weights."""
    settings = {name: text for name, text in os.environ.items() if name not in _NOT_OURS}
    settings |= {"HF_HUB_OFFLINE": "1", "UV_PYTHON_DOWNLOADS": "never", "PIP_NO_INPUT": "1", "PYTHONUTF8": "1"}
    settings |= {"PYTHONUNBUFFERED": "1", "NO_COLOR": "1", "UV_NO_PROGRESS": "1"}
    settings.setdefault("UV_SYSTEM_CERTS", "true")
    if beside is not None and _apart(beside):
        settings.setdefault("UV_LINK_MODE", "copy")
    return settings


def _apart(folder: Path) -> bool:
    """Whether uv's usual cache lies on another file system."""
    cache = Path(os.environ.get("UV_CACHE_DIR") or Path.home() / ".cache" / "uv")
    there = next((each for each in (cache, *cache.parents) if each.exists()), folder)
    return there.stat().st_dev != folder.stat().st_dev
