"""What a process takes from itself, for good, before it opens a file that came from outside.

Linux gives all of it; elsewhere the limits of setrlimit(2) stand alone.
"""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import sys
from collections.abc import Iterator
from dataclasses import dataclass

from core.lifeline import die_with_parent


@dataclass(frozen=True)
class Limits:
    """memory: bytes of address space. cpu_s, wall_s: seconds of computing, and of life: the kernel ends the process.
    file: bytes of each file that it writes. files: open at once, the three of every process among them."""

    memory: int
    cpu_s: int
    wall_s: int
    file: int
    files: int


def confine(limits: Limits) -> bool:
    """The process keeps what is open, ends with its parent, and can't reach the network, start a program or a process
    (threads it can), or touch another process. False where the kernel refuses all but the second."""
    die_with_parent(os.getppid())
    signal.alarm(limits.wall_s)
    for what, most in (
        (resource.RLIMIT_AS, limits.memory),
        (resource.RLIMIT_CPU, limits.cpu_s),
        (resource.RLIMIT_FSIZE, limits.file),
        (resource.RLIMIT_NOFILE, limits.files),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(what, (most, most))
    return _forbid(_FORBIDDEN.get(os.uname().machine)) if sys.platform == "linux" else False


@dataclass(frozen=True)
class _Calls:
    """A machine's AUDIT_ARCH (linux/audit.h), the numbers of its system calls that are forbidden, the one of clone(2),
    and the number from which on they are another machine's (x32)."""

    audit: int
    numbers: tuple[int, ...]
    clone: int
    foreign: int = 0x4000_0000


_LATE = (424, 425, 434, 438)
"""The same on every machine: pidfd_send_signal, io_uring_setup (which could do the others), pidfd_open, pidfd_getfd."""
_FORBIDDEN = {
    # socket, execve, kill, ptrace, tkill, process_vm_readv, process_vm_writev, execveat; fork and vfork
    "x86_64": _Calls(0xC000_003E, (41, 59, 62, 101, 200, 310, 311, 322, 57, 58, *_LATE), 56),
    "aarch64": _Calls(0xC000_00B7, (198, 221, 129, 117, 130, 270, 271, 281, *_LATE), 220),
}
"""From the kernel's tables (arch/x86/entry/syscalls/syscall_64.tbl, include/uapi/asm-generic/unistd.h)."""

_NO_NEW_PRIVS, _SET_SECCOMP, _FILTER = 38, 22, 2
"""prctl(2): PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP, SECCOMP_MODE_FILTER."""
_ALLOW, _REFUSE, _MISSING = 0x7FFF_0000, 0x0005_0000 | 1, 0x0005_0000 | 38
"""seccomp(2): SECCOMP_RET_ALLOW; SECCOMP_RET_ERRNO with EPERM, and with ENOSYS."""
_LOAD, _EQUAL, _AT_LEAST, _HAS, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
"""Classic BPF: BPF_LD|BPF_W|BPF_ABS, BPF_JMP with BPF_JEQ, BPF_JGE and BPF_JSET (all BPF_K), BPF_RET|BPF_K."""
_NUMBER_AT, _MACHINE_AT, _FLAGS_AT = 0, 4, 16
"""Bytes into struct seccomp_data; the last is the first argument's lower half on these machines."""
_CLONE3, _THREAD = 435, 0x10000
"""clone3(2), whose flags can't be seen: libraries take clone(2) where it is missing. CLONE_THREAD."""


class _Step(ctypes.Structure):
    """struct sock_filter."""

    _fields_ = (("code", ctypes.c_uint16), ("yes", ctypes.c_uint8), ("no", ctypes.c_uint8), ("k", ctypes.c_uint32))


class _Program(ctypes.Structure):
    """struct sock_fprog."""

    _fields_ = (("length", ctypes.c_uint16), ("steps", ctypes.POINTER(_Step)))


def _forbid(calls: _Calls | None) -> bool:
    if calls is None:
        return False
    steps = [_Step(*step) for step in _steps(calls)]
    program = _Program(len(steps), (_Step * len(steps))(*steps))
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    if prctl(_NO_NEW_PRIVS, 1, 0, 0, 0) != 0:
        return False
    return bool(prctl(_SET_SECCOMP, _FILTER, ctypes.byref(program), 0, 0) == 0)


def _steps(calls: _Calls) -> Iterator[tuple[int, int, int, int]]:
    """(code, steps to leave out if so, steps to leave out if not, operand): forbidden calls fail with EPERM."""
    yield _LOAD, 0, 0, _MACHINE_AT
    yield _EQUAL, 1, 0, calls.audit
    yield _RETURN, 0, 0, _REFUSE
    yield _LOAD, 0, 0, _NUMBER_AT
    left = len(calls.numbers) + 5
    yield _AT_LEAST, left, 0, calls.foreign
    for place, number in enumerate(calls.numbers, 1):
        yield _EQUAL, left - place, 0, number
    yield _EQUAL, 5, 0, _CLONE3
    yield _EQUAL, 0, 2, calls.clone
    yield _LOAD, 0, 0, _FLAGS_AT
    yield _HAS, 0, 1, _THREAD
    yield _RETURN, 0, 0, _ALLOW
    yield _RETURN, 0, 0, _REFUSE
    yield _RETURN, 0, 0, _MISSING
