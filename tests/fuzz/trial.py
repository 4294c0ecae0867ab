"""Tries one file in a process with the limits that it has in production, and tells what became of it.

The process is forked from this one, which has everything loaded: a few milliseconds instead of a start. It runs the
very functions that the decoding processes run.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import tempfile
import time
import wave
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from core import decoder
from core.decoding import RATE, REASONS
from core.messages import MAX_AUDIO_SECONDS
from worker.adding.picture import open_photo
from worker.adding.refused import Refused
from worker.confined import LIMITS, confine

PICTURE_REASONS = {"not_picture", "truncated", "too_large", "too_small"}
READ_MOST = 65_536
TARGET = "voice.wav"


@dataclass(frozen=True)
class Outcome:
    """reason: of the refusal, empty where it was taken. ended: the signal that ended the process, 0 for none. fault:
    what must not be, empty where all is as promised. peak_mb: of memory in use; seconds: by the clock."""

    reason: str
    ended: int
    fault: str
    peak_mb: float
    cpu_s: float
    seconds: float

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def heard(data: bytes) -> Outcome:
    """A recording."""
    return _tried(data, _hear, decoder.LIMITS.cpu_s, decoder.LIMITS.memory, set(REASONS))


def seen(data: bytes) -> Outcome:
    """A picture."""
    return _tried(data, _see, LIMITS.cpu_s, LIMITS.memory, PICTURE_REASONS)


def _hear(source: Path) -> None:
    decoder.main(str(source), str(source.with_name(TARGET)), str(MAX_AUDIO_SECONDS), str(RATE))


def _see(source: Path) -> None:
    """As worker.adding.rigging does before it looks for a face."""
    confine()
    answer: dict[str, object] = {}
    try:
        answer["size"] = open_photo(source).shape
    except Refused as refused:
        answer["reason"] = refused.reason
    except MemoryError:
        answer["reason"] = "too_large"
    print(json.dumps(answer))


def _tried(data: bytes, work: Callable[[Path], None], cpu_s: int, memory: int, reasons: set[str]) -> Outcome:
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "upload"
        source.write_bytes(data)
        began = time.monotonic()
        printed, status, used = _forked(work, source)
        seconds = time.monotonic() - began
        ended = os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0
        answer = _read(printed)
        reason = "not_read" if ended else str(answer.get("reason", ""))
        peak_mb, cpu = used.ru_maxrss / 1024, used.ru_utime + used.ru_stime
        fault = str(answer.get("raised", "")) or _leftovers(Path(folder), source, reason)
        if not ended and not fault and reason and reason not in reasons:
            fault = f"the reason {reason}"
        if peak_mb > memory >> 20 or cpu > cpu_s + 2:
            fault = f"{peak_mb:.0f} MB, {cpu:.0f} s"
        return Outcome(reason, ended, fault, round(peak_mb), round(cpu, 2), round(seconds, 2))


def _forked(work: Callable[[Path], None], source: Path) -> tuple[bytes, int, resource.struct_rusage]:
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        os.dup2(write, 1)
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
        os.close(read)
        _run(work, source)
    os.close(write)
    with os.fdopen(read, "rb") as pipe:
        printed = pipe.read(READ_MOST)
    _, status, used = os.wait4(child, 0)
    return printed, status, used


def _run(work: Callable[[Path], None], source: Path) -> None:
    """In the child; never returns."""
    try:
        with os.fdopen(1, "w", closefd=False) as out:
            sys.stdout = out
            try:
                work(source)
            except Exception as error:
                print(json.dumps({"raised": f"{type(error).__name__}: {error}"[:300]}))
    finally:
        os._exit(0)


def _read(printed: bytes) -> dict[str, Any]:
    try:
        answer: dict[str, Any] = json.loads(printed.strip().rsplit(b"\n", 1)[-1])
    except ValueError:
        return {"raised": f"printed {printed[:100]!r}"} if printed.strip() else {}
    return answer


def _leftovers(folder: Path, source: Path, reason: str) -> str:
    """Beside the source only what was decoded, which the caller renames or removes."""
    there = {path.name for path in folder.iterdir()} - {source.name, TARGET}
    if there:
        return f"left {sorted(there)}"
    target = folder / TARGET
    if reason or not target.exists():
        return ""
    with wave.open(str(target)) as file:
        kind, seconds = (file.getframerate(), file.getnchannels(), file.getsampwidth()), file.getnframes() / RATE
    if kind != (RATE, 1, 2) or not decoder.SHORTEST_S <= seconds <= MAX_AUDIO_SECONDS + decoder.PADDING_S:
        return f"wrote {kind}, {seconds} s"
    return ""
