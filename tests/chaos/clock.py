"""A wall clock that steps for a family of processes: a preloaded library adds what a mapped file says."""

from __future__ import annotations

import shutil
import struct
import subprocess
from collections.abc import Mapping
from pathlib import Path

SOURCE = Path(__file__).with_name("clock.c")
VARIABLE = "CHAOS_CLOCK"
PRELOAD = "LD_PRELOAD"


class Clock:
    """For processes that are started with `environment`, and theirs. Where there is no compiler, `works` is false and
    the environment empty."""

    def __init__(self, folder: Path) -> None:
        """folder: one that everybody may enter; the library and the file are laid there."""
        self._library = folder / "clock.so"
        self._file = folder / "clock"
        self._file.write_bytes(struct.pack("=q", 0))
        self._file.chmod(0o644)
        self.ahead_s = 0.0
        self.works = self._build()

    @property
    def environment(self) -> Mapping[str, str]:
        return {PRELOAD: str(self._library), VARIABLE: str(self._file)} if self.works else {}

    def set(self, ahead_s: float) -> None:
        """From now on the clock is so far ahead of the machine's; negative: behind."""
        with self._file.open("r+b") as file:
            file.write(struct.pack("=q", round(ahead_s * 1e9)))
        self.ahead_s = ahead_s

    def _build(self) -> bool:
        compiler = shutil.which("cc")
        if compiler is None:
            return False
        command = [compiler, "-O2", "-shared", "-fPIC", "-Wall", "-Werror", "-o", self._library, SOURCE, "-ldl"]
        if subprocess.run(command, capture_output=True, check=False).returncode != 0:
            return False
        self._library.chmod(0o755)
        return True
