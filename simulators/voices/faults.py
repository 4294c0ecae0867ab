"""A bad day of a model's, call by call, asked for and counted through files in the model's folder."""

from __future__ import annotations

import fcntl
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final

FOLDER: Final = ".double"
"""In the model's folder; no record names it."""

ENDS: Final = frozenset({"sigkill", "sigsegv", "exit"})
"""The process ends: the kernel kills it, a library crashes, something calls exit(3)."""
ERRORS: Final = frozenset({"error", "out_of_memory", "card_lost"})
"""RuntimeError: with the spoken text in its own; the card's memory; a card that is of no more use to the process."""
WAITS: Final = frozenset({"hang", "slow"})
"""Nothing more comes, whatever is asked of it; `seconds` pass before each piece."""
NOISE: Final = frozenset({"garbage", "wire_garbage", "flood"})
"""Bytes that are no text on file descriptor 1, or into every pipe and socket of the process; `megabytes` of lines on
standard error. It speaks on."""
SOUNDS: Final = frozenset({"empty", "silence", "nan", "brief", "hiss", "runaway"})
"""What comes is no sound at all, zeros, not numbers, 60 ms, noise as long as the speech, or speech that goes on to the
most that the caller allows."""
OWN: Final = ENDS | ERRORS | WAITS | NOISE | SOUNDS | {"fill", "thread"}
"""fill: `megabytes` of memory are held. thread: an error in CosyVoice's own thread, which upstream does not notice."""


@dataclass(frozen=True)
class Fault:
    """effect: one of OWN. when: "load" or "speak". times: how many such calls; skip: after so many. after: pieces that
    come first. seconds, megabytes: see above. text: only where it is in the text that is spoken."""

    effect: str
    when: str = "speak"
    times: int = 1
    skip: int = 0
    after: int = 0
    seconds: float = 1.0
    megabytes: int = 8
    text: str = ""

    def __post_init__(self) -> None:
        if self.effect not in OWN or self.when not in ("load", "speak"):
            raise ValueError(f"no fault {self.effect} at {self.when}; there are {', '.join(sorted(OWN))}")


class Faults:
    """The faults that are still to happen, shared by the test and the processes of the model."""

    def __init__(self, model: Path) -> None:
        self._folder = model / FOLDER
        self._file = self._folder / "faults.json"

    def add(self, fault: Fault) -> None:
        with self._locked():
            self._write([*self._read(), fault])

    def clear(self) -> None:
        with self._locked():
            self._write([])

    def left(self) -> list[Fault]:
        with self._locked():
            return self._read()

    def take(self, when: str, text: str = "") -> Fault | None:
        """The fault that this call meets, if any; it counts as happened."""
        if not self._file.exists():
            return None
        with self._locked():
            waiting = self._read()
            for place, fault in enumerate(waiting):
                if fault.when == when and fault.text in text:
                    self._write([*waiting[:place], *_spent(fault), *waiting[place + 1 :]])
                    return None if fault.skip else fault
        return None

    @contextmanager
    def _locked(self) -> Iterator[None]:
        self._folder.mkdir(exist_ok=True)
        with (self._folder / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _read(self) -> list[Fault]:
        return [Fault(**each) for each in json.loads(self._file.read_text())] if self._file.exists() else []

    def _write(self, faults: list[Fault]) -> None:
        self._file.write_text(json.dumps([asdict(each) for each in faults]))


def _spent(fault: Fault) -> list[Fault]:
    """What is left of it after a call that it meets."""
    if fault.skip:
        return [replace(fault, skip=fault.skip - 1)]
    return [replace(fault, times=fault.times - 1)] if fault.times > 1 else []


def as_rows(lines: str) -> list[dict[str, Any]]:
    """Of a file of JSON lines; a line that is still being written is left out."""
    return [json.loads(line) for line in lines.splitlines(keepends=True) if line.endswith("\n")]
