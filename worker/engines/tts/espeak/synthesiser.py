"""eSpeak as everybody here asks it: a request in, samples and phoneme times out, the library in a host of its own."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

from core.errors import TTSError
from worker.engines.tts.espeak.wire import Request, Timed
from worker.hosting.host import Host
from worker.hosting.program import Program

_START_S = 30.0
_PATIENCE_S = 10.0
_LETTERS_A_SECOND = 20


@dataclass(frozen=True)
class Spoken:
    """samples: (n,) 16-bit mono, at sample_rate Hz, as the library made them; phonemes in order of time."""

    samples: NDArray[np.int16]
    sample_rate: int
    phonemes: tuple[Timed, ...]


class Synthesiser:
    """One process, started with the first request where `start` has not been called, and anew where it has gone.
    Raises TTSError."""

    def __init__(self) -> None:
        self._host = Host("espeak", Program.ours("worker.engines.tts.espeak.hosted:Hosted"), TTSError)

    @property
    def pid(self) -> int | None:
        """The process' id while it runs."""
        return self._host.pid

    def start(self) -> None:
        """Idempotent; returns when the library is ready."""
        self._host.start(_START_S)

    def interrupt(self) -> None:
        """From another thread: what is asked now fails at once."""
        self._host.interrupt()

    def stop(self) -> None:
        """Idempotent; a later request starts it anew."""
        self._host.stop()

    def speak(self, request: Request) -> Spoken:
        patience_s = _PATIENCE_S + len(request.text) / _LETTERS_A_SECOND
        piece = self._host.ask(
            "speak", asdict(request), patience_s=patience_s, start_s=_START_S, private=(request.text,)
        )
        phonemes = tuple((str(ipa), float(start), float(end)) for ipa, start, end in piece.header["phonemes"])
        return Spoken(np.frombuffer(piece.payload, np.int16), int(piece.header["sample_rate"]), phonemes)
