"""The engine's side of the helper process: started when asked, killed when late, started anew when gone."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import worker
from core.errors import TTSError
from worker.frames import FrameError, read_frame, write_frame

_MODULE = "worker.engines.tts.espeak.helper"
_START_S = 30.0


class HelperProcess:
    """One helper. Where it dies, hangs or answers with an error `ask` raises TTSError; the next call starts anew."""

    def __init__(self, module: str = _MODULE) -> None:
        self._module = module
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        """The running helper's process id."""
        return self._process.pid if self._process is not None else None

    def start(self) -> None:
        """Idempotent; returns when the helper is ready."""
        if self._process is not None and self._process.poll() is None:
            return
        self.stop()
        command = [sys.executable, "-m", self._module]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=_environment())
        self._receive(self._process, _START_S)

    def ask(self, header: dict[str, Any], *, timeout_s: float) -> tuple[dict[str, Any], bytes]:
        """The answer's header and payload."""
        self.start()
        process = self._process
        assert process is not None
        assert process.stdin is not None
        try:
            write_frame(process.stdin, header)
        except OSError as error:
            self.stop()
            raise TTSError(f"the speech helper is gone: {error}") from error
        return self._receive(process, timeout_s)

    def stop(self) -> None:
        """Idempotent: kills the helper, which keeps nothing, and waits for it."""
        process, self._process = self._process, None
        if process is None:
            return
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            _close(pipe)

    def _receive(self, process: subprocess.Popen[bytes], timeout_s: float) -> tuple[dict[str, Any], bytes]:
        assert process.stdout is not None
        watchdog = threading.Timer(timeout_s, process.kill)
        watchdog.daemon = True
        watchdog.start()
        try:
            frame = read_frame(process.stdout)
        except FrameError as error:
            self.stop()
            raise TTSError(f"the speech helper broke off: {error}") from error
        finally:
            watchdog.cancel()
        if frame is None:
            self.stop()
            raise TTSError(f"the speech helper died, or took longer than {timeout_s:g} s")
        if "error" in frame[0]:
            raise TTSError(frame[0]["error"])
        return frame


def _close(pipe: Any) -> None:
    """A pipe to a dead process may refuse what is still in its buffer."""
    try:
        pipe.close()
    except OSError:
        return


def _environment() -> dict[str, str]:
    """Our own, so that the helper finds this very checkout."""
    root = str(Path(worker.__file__).parents[1])
    paths = [root, *filter(None, [os.environ.get("PYTHONPATH")])]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}
