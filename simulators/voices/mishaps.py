"""What a fault does to the process that meets it, and to what it says."""

from __future__ import annotations

import os
import signal
import stat
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from simulators.voices.faults import ENDS, ERRORS, NOISE, SOUNDS, WAITS, Fault
from simulators.voices.speech import Sound
from simulators.voices.torch import OutOfMemoryError

_CHUNK = b"\x00\xff\x01garbage\xfe\n" * 300
_HELD: list[bytearray] = []
_BRIEF_S = 0.06


def meet(fault: Fault | None, text: str = "") -> None:
    """At once. Raises what the fault says, ends the process, or returns."""
    if fault is None or fault.effect in SOUNDS:
        return
    if fault.effect in ENDS:
        _end(fault.effect)
    if fault.effect in ERRORS:
        raise _error(fault.effect, text)
    if fault.effect == "fill":
        _HELD.extend(bytearray(os.urandom(1 << 20)) for _ in range(fault.megabytes))
    elif fault.effect in NOISE:
        _make_noise(fault)
    while fault.effect in WAITS:
        time.sleep(fault.seconds)
        if fault.effect == "slow":
            return


def _end(effect: str) -> None:
    if effect == "exit":
        os._exit(3)
    os.kill(os.getpid(), getattr(signal, effect.upper()))


def _error(effect: str, text: str) -> RuntimeError:
    if effect == "out_of_memory":
        return OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has 23.6 GiB of which 9 MiB")
    if effect == "card_lost":
        return RuntimeError("CUDA error: an illegal memory access was encountered")
    return RuntimeError(f"can't say {text!r}: shapes (1, 80) and (1, 192) do not match")


def _make_noise(fault: Fault) -> None:
    if fault.effect == "garbage":
        os.write(1, _CHUNK)
    elif fault.effect == "wire_garbage":
        for number in _ways_out():
            os.write(number, _CHUNK)
    else:
        for _ in range(fault.megabytes):
            sys.stderr.write(f"{'flood ' * 20}\n" * 8738)


def _ways_out() -> list[int]:
    """Descriptors of pipes and sockets, beyond the standard ones, that can be written to."""
    found = []
    for number in (int(entry.name) for entry in Path("/proc/self/fd").iterdir()):
        try:
            mode = os.fstat(number).st_mode
            flags = int(Path(f"/proc/self/fdinfo/{number}").read_text().split("flags:")[1].split()[0], 8)
        except OSError:
            continue
        if number > 2 and (stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode)) and flags & os.O_ACCMODE != os.O_RDONLY:
            found.append(number)
    return found


def spoilt(pieces: Iterator[Sound], fault: Fault | None, rate: int, text: str) -> Iterator[Sound]:
    """The pieces as the fault leaves them."""
    count = 0
    for piece in pieces:
        if fault is not None and fault.effect not in SOUNDS and (count == fault.after or fault.effect == "slow"):
            meet(fault, text)
        yield _spoilt(piece, fault, rate) if fault is not None and count >= fault.after else piece
        count += 1
        if fault is not None and fault.effect in ("brief", "empty"):
            return
    if fault is not None and fault.effect not in SOUNDS and 0 < count <= fault.after:
        meet(fault, text)


def _spoilt(piece: Sound, fault: Fault, rate: int) -> Sound:
    match fault.effect:
        case "empty":
            return piece[:0]
        case "silence":
            return np.zeros_like(piece)
        case "nan":
            return np.full_like(piece, np.nan)
        case "hiss":
            return np.random.default_rng(0).normal(0, 0.05, len(piece)).astype(np.float32)
        case "brief":
            return piece[: round(_BRIEF_S * rate)]
    return piece
