"""What the process costs in which an engine lives, and eSpeak's sentence through it."""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from bench.figures import Figures, spread
from core.catalogue import Voice
from core.errors import TTSError
from worker.engines.tts.espeak import Espeak
from worker.hosting.host import Host, Piece
from worker.hosting.program import Program

RATE, PIECE = 48_000, 7680
"""Hertz, and samples: 160 ms, as VoxCPM2 streams them."""

_LIMIT_S = 30.0
_BEFORE_CANCEL = 5
_SENTENCES = {
    "en": "The clinic is open from Sunday to Thursday, nine to six.",
    "ar": "العيادة مفتوحة من الأحد إلى الخميس من التاسعة صباحًا حتى السادسة مساءً.",
}


def measure(times: int = 20, seconds: float = 600.0) -> Figures:
    """times: how often each is tried; seconds: of sound, streamed."""
    host = _host()
    try:
        figures = {"host_start_ms": statistics.median(_starts(host, max(times // 4, 1)))}
        host.start(_LIMIT_S)
        figures["host_ram_mb"] = float(host.ram_mb)
        figures |= spread("host_ask", [_ms(lambda: _ask(host)) for _ in range(10 * times)])
        figures |= _streamed(host, seconds)
        figures |= spread("host_cancel", [_cancelled_ms(host) for _ in range(times)])
    finally:
        host.stop()
    return figures | _espeak(times)


def _host() -> Host:
    """Found by its folder, not by `bench`, whose other modules an empty host would import."""
    folder = str(Path(__file__).parent)
    return Host("bench", Program(Path(sys.executable), "streaming:Streaming", paths=(folder,)), TTSError)


def _starts(host: Host, times: int) -> list[float]:
    """ms from nothing to a class that is made."""
    taken = []
    for _ in range(times):
        host.stop()
        taken.append(_ms(lambda: host.start(_LIMIT_S)))
    return taken


def _ask(host: Host) -> Piece:
    return host.ask("answer", {}, patience_s=_LIMIT_S, start_s=_LIMIT_S)


def _streamed(host: Host, seconds: float) -> Figures:
    """Until the last sample is an array here."""
    pieces = round(seconds * RATE / PIECE)
    began, samples = time.perf_counter(), 0
    asked = {"pieces": pieces, "samples": PIECE, "rate": RATE}
    for piece in host.stream("sound", asked, patience_s=_LIMIT_S, start_s=_LIMIT_S):
        samples += np.frombuffer(piece.payload, np.float32).size
    spent = time.perf_counter() - began
    return {"host_stream_mb_a_s": 4e-6 * samples / spent, "host_stream_times_real": samples / RATE / spent}


def _cancelled_ms(host: Host) -> float:
    """From closing a stream in its midst until the host, still alive, is free for the next call. Raises TTSError where
    it had to be killed."""
    pid = host.pid
    asked = {"pieces": 100_000, "samples": PIECE, "rate": RATE}
    stream = host.stream("sound", asked, patience_s=_LIMIT_S, start_s=_LIMIT_S)
    for _ in range(_BEFORE_CANCEL):
        next(stream)
    taken = _ms(stream.close)
    if host.pid != pid:
        raise TTSError("a host that could have heeded was killed")
    return taken


def _espeak(times: int) -> Figures:
    """Samples and phoneme times of a sentence in each language, finished; the host is warm."""
    engine, voice = Espeak(), Voice("bench", {}, Path())
    try:
        figures = {"host_espeak_start_ms": _ms(engine.load)}
        for language, text in _SENTENCES.items():

            def speak(language: str = language, text: str = text) -> object:
                return list(engine.speak(text, language=language, voice=voice))

            speak()
            figures[f"host_espeak_{language}_ms"] = statistics.median(_ms(speak) for _ in range(times))
    finally:
        engine.unload()
    return figures


def _ms(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return 1000 * (time.perf_counter() - began)
