"""A hosted class that does as it is told, right and wrong: what `tests/unit/test_hosting.py` runs in hosts."""

from __future__ import annotations

import math
import os
import signal
import stat
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from typing import Any

from worker.hosting.served import Progress, Refused

RATE = 8000
Pieces = Iterator[tuple[dict[str, Any], bytes]]


class Toy:
    """load: what goes wrong while it is made: "", "hang", "die", "fail", "memory", "chatter"."""

    def __init__(self, progress: Progress, load: str = "", slowly_s: float = 0.0, words: str = "") -> None:
        self._progress, self.tidied, self.calls = progress, 0, 0
        if slowly_s:
            for share in range(5):
                progress(f"part {share} of 5")
                time.sleep(slowly_s / 5)
        match load:
            case "hang":
                time.sleep(60)
            case "die":
                print(f"before the end: {words}", file=sys.stderr, flush=True)
                os._exit(7)
            case "fail":
                raise FileNotFoundError(f"no weights {words}")
            case "memory":
                raise RuntimeError("CUDA out of memory. Tried to allocate 2.00 GiB")
            case "chatter":
                print("loaded", flush=True)

    def memory(self) -> dict[str, int]:
        return {"gpu_mb": 100 + self.calls}

    def tidy(self) -> None:
        self.tidied += 1

    def tones(self, count: int = 3, hertz: float = 440.0, each_s: float = 0.0) -> Pieces:
        """So many pieces of a tenth of a second, 16-bit."""
        self.calls += 1
        for number in range(count):
            sound = [round(9000 * math.sin(2 * math.pi * hertz * at / RATE)) for at in range(RATE // 10)]
            yield {"sample_rate": RATE, "number": number}, struct.pack(f"<{len(sound)}h", *sound)
            time.sleep(each_s)

    def state(self) -> Pieces:
        yield {"tidied": self.tidied, "pid": os.getpid(), "env": dict(os.environ), "path": sys.path}, b""

    def large(self, size: int) -> Pieces:
        yield {}, bytes(size)

    def silent(self, seconds: float) -> Pieces:
        yield {}, b"first"
        time.sleep(seconds)
        yield {}, b"second"

    def busy(self, seconds: float) -> Pieces:
        """Silent too, but heeding."""
        yield {}, b"first"
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            time.sleep(0.02)
            self._progress("busy")

    def stubborn(self) -> Pieces:
        """Does not let itself be closed."""
        while True:
            try:
                yield {}, b"again"
            except GeneratorExit:
                time.sleep(60)

    def dies(self, how: str, words: str = "last words") -> Pieces:
        """how: a signal's name, or an exit code."""
        yield {}, b"first"
        print(words, flush=True)
        if how.startswith("SIG"):
            os.kill(os.getpid(), getattr(signal, how))
            time.sleep(10)
        os._exit(int(how))

    def fails(self, text: str, kind: str = "ValueError") -> Pieces:
        yield {}, b"first"
        raise {"ValueError": ValueError, "RuntimeError": RuntimeError, "MemoryError": MemoryError, "Refused": Refused}[
            kind
        ](text)

    def prints(self, text: str) -> Pieces:
        """Through Python, and past it."""
        print(text, flush=True)
        os.write(1, text.encode() + b"\n")
        subprocess.run(["echo", text], check=True)
        yield {"read": sys.stdin.read()}, b"printed"

    def floods(self, lines: int) -> Pieces:
        for _ in range(lines):
            os.write(2, b"x" * 1000 + b"\n")
        yield {}, b"done"

    def grows(self, mb: int) -> Pieces:
        yield {}, b"first"
        held = []
        for _ in range(mb // 8):
            held.append(bytearray(os.urandom(1 << 20) * 8))
            time.sleep(0.005)
        yield {"held": len(held)}, b"grown"
        time.sleep(10)

    def garbage(self, raw: str) -> Pieces:
        """Into the very socket that frames go through."""
        yield {}, b"first"
        for number in range(3, 64):
            if _is_socket(number):
                os.write(number, raw.encode("latin-1"))
        time.sleep(10)

    def odd(self, what: str) -> Any:
        """A piece that is none: its header is no JSON, or its payload no bytes."""
        yield ({"unfit": {1}}, b"") if what == "header" else ({}, "text")

    def child(self) -> Pieces:
        """A process of its own, that holds all that it is given."""
        started = subprocess.Popen(["sleep", "60"], close_fds=False)
        yield {"pid": started.pid}, b""

    def threads(self) -> Pieces:
        """Words of progress from another thread, between pieces."""
        talker = threading.Thread(target=lambda: [self._progress(f"word {number}") for number in range(200)])
        talker.start()
        for _ in range(50):
            yield {}, bytes(10_000)
        talker.join()


def _is_socket(number: int) -> bool:
    try:
        return stat.S_ISSOCK(os.fstat(number).st_mode)
    except OSError:
        return False
