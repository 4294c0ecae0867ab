"""Our side of a host: an engine that lives in a process of its own."""

from __future__ import annotations

import os
import threading
import time
import weakref
from collections import deque
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from core.errors import LayerError
from core.logging import get_logger
from worker.frames import FrameError, Header
from worker.hosting.channel import Interrupted, Silence
from worker.hosting.memory import held_mb
from worker.hosting.privacy import Masker
from worker.hosting.process import Fate, HostProcess
from worker.hosting.program import Program

log = get_logger(__name__)

HEED_S = 1.0
"""A host that has not dropped a cancelled call by then is killed."""
_END_S = 0.5
"""For an idle host to end by itself."""
_LATE_S = 0.3
"""Between a process' socket closing and its end."""
_SAID = 4
"""Lines of what it printed, in an error's text."""
_LONGEST = 200
_REMEMBERED = 16
"""Calls whose private texts may still stand in what it printed."""


@dataclass(frozen=True)
class Piece:
    """What a hosted method yields: a dict of JSON, and bytes."""

    header: dict[str, Any]
    payload: bytes


class _Work:
    """A start or a call under way."""

    def __init__(self, what: str, number: int = 0) -> None:
        self.what, self.number = what, number
        self.doing = ""
        self.over = False
        self._interrupted = False

    def interrupt(self) -> None:
        self._interrupted = True

    def interrupted(self) -> bool:
        return self._interrupted


class Host:
    """Starts the process when it is first needed, and anew when it has gone. One call at a time.

    Where something goes wrong `error` is raised, a LayerError, with `exhausted` where memory did not suffice; its text
    says what happened to whom, what is done about it, and holds the last lines that the process printed where they may
    help. No text holds what a caller named as `private`.
    """

    def __init__(self, name: str, program: Callable[[], Program] | Program, error: type[LayerError]) -> None:
        """program: asked at each start, where it can be called; may raise ModelMissing."""
        self.name, self._program, self._error = name, program, error
        self._turn = threading.RLock()
        self._process: HostProcess | None = None
        self._forget: Callable[[], object] = bool
        self._work: _Work | None = None
        self._calls = 0
        self._private: deque[str] = deque(maxlen=_REMEMBERED)
        self._gpu_mb = 0
        _hosts.add(self)

    @property
    def pid(self) -> int | None:
        """The process' id while it runs."""
        process = self._process
        return process.pid if process is not None and not process.ended() else None

    @property
    def gpu_mb(self) -> int:
        """Memory of the card in MiB, as the engine last said."""
        return self._gpu_mb if self.pid is not None else 0

    @property
    def ram_mb(self) -> int:
        """Resident memory in MiB now."""
        return held_mb(pid) if (pid := self.pid) is not None else 0

    def start(self, patience_s: float) -> None:
        """Idempotent; returns when the class is made. patience_s: how long it may say nothing meanwhile."""
        with self._turn:
            self._end_stale_call()
            if self._process is not None and not self._process.ended():
                return
            self._dispose()
            work = self._work = _Work("starting")
            try:
                self._start(work, patience_s)
            finally:
                self._work = None

    def stream(
        self,
        method: str,
        arguments: Mapping[str, Any],
        *,
        patience_s: float,
        start_s: float,
        private: Sequence[str] = (),
    ) -> Generator[Piece, None, None]:
        """What a method of the hosted class yields, as it comes; begun with the first `next`.

        patience_s: the longest silence before a piece (or a word of progress); start_s: the same while the class is
        made, if it must be. Closing the iterator cancels the call: the host drops it within HEED_S or is killed.
        """
        with self._turn:
            self._private.extend(private)
            self.start(start_s)
            call = self._begin(method, arguments, patience_s)
        try:
            while (piece := self._next(call, patience_s)) is not None:
                yield piece
        finally:
            self._leave(call)

    def ask(
        self,
        method: str,
        arguments: Mapping[str, Any],
        *,
        patience_s: float,
        start_s: float,
        private: Sequence[str] = (),
    ) -> Piece:
        """The only piece of a method. Other threads that ask wait."""
        with self._turn:
            self._private.extend(private)
            self.start(start_s)
            call = self._begin(method, arguments, patience_s, only=True)
            try:
                piece = self._next(call, patience_s)
            finally:
                self._leave(call)
        if piece is None:
            raise self._error(f"{self.name}: {method} gave nothing")
        return piece

    def interrupt(self) -> None:
        """From another thread: what is under way fails at once. A call is cancelled as by closing its iterator; a start
        ends with the process."""
        if (work := self._work) is not None:
            work.interrupt()

    def stop(self) -> None:
        """Idempotent, from any thread; what is under way fails."""
        work, process = self._work, self._process
        if work is not None:
            work.interrupt()
            if process is not None:
                process.kill(Fate("was stopped"))
        with self._turn:
            if self._process is not None and self._work is None:
                self._bid_end(self._process)
            self._dispose()

    def _start(self, work: _Work, patience_s: float) -> None:
        program = self._program() if callable(self._program) else self._program
        try:
            process = self._process = HostProcess(self.name, program, patience_s)
        except OSError as error:
            raise self._error(
                f"{self.name}: {program.python} does not run: {error.strerror or error}; `smarttalker models fetch`"
                " builds an engine's environment"
            ) from error
        self._forget = weakref.finalize(self, process.abandon).detach
        order = {"do": "make", "served": program.served, "arguments": dict(program.arguments)}
        try:
            process.channel.send(order, patience_s, work.interrupted)
            self._frame(work, patience_s)
        except (OSError, FrameError, Silence, Interrupted) as error:
            raise self._lost(work, error, patience_s) from error
        except BaseException:
            self._dispose()  # a process without its engine is no host
            raise

    def _begin(self, method: str, arguments: Mapping[str, Any], patience_s: float, *, only: bool = False) -> _Work:
        assert self._process is not None
        self._calls += 1
        call = self._work = _Work(method, self._calls)
        order = {"do": "call", "call": call.number, "method": method, "arguments": dict(arguments), "only": only}
        self._process.tail.clear()
        try:
            self._process.channel.send(order, patience_s, call.interrupted)
        except (OSError, Silence, Interrupted) as error:
            raise self._lost(call, error, patience_s) from error
        except Exception as error:  # nothing of it was sent
            self._over(call)
            raise self._error(f"{self.name}: {method} can't be asked so: {type(error).__name__}") from error
        return call

    def _next(self, call: _Work, patience_s: float) -> Piece | None:
        with self._turn:
            if call.over or call is not self._work:
                raise self._error(f"{self.name}: {call.what} was cut short by another call or a stop")
            try:
                header, payload = self._frame(call, patience_s)
            except Interrupted:
                self._drop(call)
                raise self._error(f"{self.name}: {call.what} was cancelled") from None
            except (OSError, FrameError, Silence) as error:
                raise self._lost(call, error, patience_s) from error
            return Piece(header["header"], payload) if header["kind"] == "piece" else None

    def _frame(self, work: _Work, patience_s: float) -> tuple[Header, bytes]:
        """The next one of this work, words of progress left out; raises `error` where it says that it failed."""
        assert self._process is not None
        while (frame := self._process.channel.receive(patience_s, work.interrupted)) is not None:
            header = _checked(frame[0])
            if header["call"] != work.number:
                continue
            if header["kind"] == "progress":
                work.doing = str(header.get("what", ""))
                continue
            if header["kind"] != "piece" or header.get("last"):
                self._end(work, header)
            return frame
        raise ConnectionError("its end of the socket is closed")

    def _end(self, work: _Work, header: Header) -> None:
        """Of a start or a call; raises `error` where it failed."""
        assert self._process is not None
        starting, failed, tail = not work.number, header["kind"] == "failed", self._process.tail
        self._over(work)
        self._gpu_mb = int(header.get("memory", {}).get("gpu_mb", 0))
        if (failed and starting) or header.get("lost"):
            self._dispose()
        if failed:
            raise self._refusal(header, tail.lines() if starting else [])

    def _drop(self, call: _Work) -> None:
        """Has the host cancel the call; one that does not heed is killed."""
        process, until = self._process, time.monotonic() + HEED_S
        self._over(call)
        if process is None:
            return
        try:
            process.channel.send({"do": "cancel", "call": call.number}, HEED_S)
            while (left_s := until - time.monotonic()) > 0 and (frame := process.channel.receive(left_s)) is not None:
                header = _checked(frame[0])
                if header["call"] == call.number and header["kind"] in ("end", "failed"):
                    if header.get("lost"):
                        break
                    return
        except (OSError, FrameError, Silence):
            """Killed, as one that has closed its end."""
        self._dispose(waits=False)  # a driver takes a second to give back a card's memory; a cancel is to be quick

    def _leave(self, call: _Work) -> None:
        """Where the iterator ends, however it does."""
        if not call.over:
            with self._turn:
                self._end_stale_call(call)

    def _end_stale_call(self, call: _Work | None = None) -> None:
        """The one given, or whichever iterator was left open."""
        stale = self._work
        if stale is not None and not stale.over and call in (None, stale):
            self._drop(stale)

    def _over(self, work: _Work) -> None:
        work.over = True
        if self._work is work:
            self._work = None

    def _lost(self, work: _Work, error: Exception, patience_s: float) -> LayerError:
        """The host is gone, or goes now."""
        process = self._process
        self._over(work)
        if process is None:
            return self._error(f"{self.name}: {work.what} was cut short: the host was stopped")
        if isinstance(error, (Silence, Interrupted)) or not process.ended_within(_LATE_S):
            process.kill(_doom(work, error, patience_s))
        self._dispose()
        fate, masker = process.fate(), Masker(self._private)
        doing = f" ({masker.text(work.doing)})" if work.doing else ""
        texts = [f"{self.name}: {work.what}{doing}: the host {fate.text}"]
        log.warning("host_lost", host=self.name, pid=process.pid, fate=fate.text)
        return self._error(_with_said(texts, masker, process.tail.lines()), exhausted=fate.exhausted)

    def _refusal(self, header: Header, said: list[str]) -> LayerError:
        """What the host says went wrong in it."""
        masker = Masker(self._private)
        text = masker.text(str(header.get("text", "")))
        if header.get("refused"):
            return self._error(f"{self.name}: {text}", refused=True)
        told = f"{self.name}: {header.get('type')}: {text}"
        return self._error(_with_said([told], masker, said), exhausted=bool(header.get("exhausted")))

    def _bid_end(self, process: HostProcess) -> None:
        """Of an idle one, so that what its libraries hold elsewhere is given back."""
        try:
            process.channel.send({"do": "end"}, _END_S)
        except (OSError, Silence):
            return
        process.ended_within(_END_S)

    def _dispose(self, *, waits: bool = True) -> None:
        """It is killed. waits: until its end."""
        process, self._process, self._work = self._process, None, None
        if process is not None:
            self._forget()
            (process.close if waits else process.abandon)()

    def _copied(self) -> None:
        """In a fork of our process, which has no host."""
        process, self._process, self._work, self._turn = self._process, None, None, threading.RLock()
        if process is not None:
            self._forget()
            process.disown()


_hosts: weakref.WeakSet[Host] = weakref.WeakSet()


def _forked() -> None:
    for host in list(_hosts):
        host._copied()


os.register_at_fork(after_in_child=_forked)


def _checked(header: Header) -> Header:
    """Raises FrameError for one that no host sends."""
    known = header.get("kind") in ("ready", "progress", "piece", "end", "failed")
    if not known or not isinstance(header.setdefault("call", 0), int) or not isinstance(header.get("header", {}), dict):
        raise FrameError("a frame that is none of ours")
    return header


def _doom(work: _Work, error: Exception, patience_s: float) -> Fate:
    """Why a host is killed that has not ended by itself."""
    if isinstance(error, Interrupted):
        return Fate("was cancelled and killed")
    if isinstance(error, Silence):
        return Fate(f"said nothing for {patience_s:g} s and was killed; the next call starts it anew")
    return Fate(f"broke off and was killed: {error}; the next call starts it anew")


def _with_said(texts: list[str], masker: Masker, lines: list[str]) -> str:
    said = [masker(line)[:_LONGEST] for line in lines][-_SAID:]
    return "; ".join([*texts, *(["it printed last: " + " | ".join(dict.fromkeys(said))] if said else [])])
