"""A twin of a recording: the same text spoken by eSpeak at the recording's pace, with the times of its phonemes."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

import numpy as np

from core.errors import TTSError
from worker.engines.tts.base import Phoneme
from worker.engines.tts.espeak.synthesiser import Synthesiser
from worker.engines.tts.espeak.wire import Request
from worker.timing.features import Sound, loudness, resampled

VOICES = ("m3", "f2")
"""eSpeak's variants: a man's and a woman's."""

_PACE = 165
_PACES = (90, 320)
_NEAR = 0.12
"""Share by which a twin may be longer or shorter and need not be spoken again."""
_QUIET_DB = 40.0
"""Below the loudest frame: silence."""
_FAINTEST_DB = -65.0


@dataclass(frozen=True)
class Twin:
    """sound: at features.RATE, with what is loud in it from start to end (frames); phonemes in seconds of sound."""

    sound: Sound
    phonemes: tuple[Phoneme, ...]
    start: int
    end: int


class TwinSpeaker:
    """Speaks through a host of its own, which starts with the first text and ends with this object. Raises
    TTSError."""

    def __init__(self) -> None:
        self._synthesiser = Synthesiser()
        self._starting: threading.Thread | None = None

    def close(self) -> None:
        """Idempotent; a later text starts it anew."""
        self._started()
        self._synthesiser.stop()

    def prepare(self) -> None:
        """Has the host started behind the scenes; whatever fails is told by the next text."""
        if self._synthesiser.pid is None and self._starting is None:
            self._starting = threading.Thread(target=_start, args=(self._synthesiser,), name="twins", daemon=True)
            self._starting.start()

    def _started(self) -> None:
        """Waits for what `prepare` began."""
        if self._starting is not None:
            self._starting.join()
            self._starting = None

    def twins(self, text: str, language: str, frames: int) -> Iterator[Twin]:
        """One of each voice whose loud part is about so many frames long; none of a text in which nothing sounds."""
        self._started()
        pace = _PACE
        for place, voice in enumerate(VOICES):
            twin = self._spoken(text, language, voice, pace)
            if twin is None:
                return
            ratio = (twin.end - twin.start) / max(frames, 1)
            if not place and abs(ratio - 1) > _NEAR:
                pace = min(max(round(_PACE * ratio), _PACES[0]), _PACES[1])
                twin = self._spoken(text, language, voice, pace)
            if twin is not None:
                yield twin

    def _spoken(self, text: str, language: str, voice: str, pace: int) -> Twin | None:
        request = Request(text, language, f"{language}+{voice}", pace, 50, 50)
        said = self._synthesiser.speak(request)
        sound = resampled(said.samples.astype(np.float32) / np.float32(32768), said.sample_rate)
        extent = loud(sound)
        phonemes = tuple(Phoneme(*timed) for timed in said.phonemes)
        return Twin(sound, phonemes, *extent) if extent and phonemes else None


def _start(synthesiser: Synthesiser) -> None:
    with suppress(TTSError):
        synthesiser.start()


def loud(sound: Sound) -> tuple[int, int] | None:
    """The first frame that is not silence and the one after the last; None where all is."""
    level = loudness(sound)
    if not level.size or level.max() < _FAINTEST_DB:
        return None
    (heard,) = np.nonzero(level > max(level.max() - _QUIET_DB, _FAINTEST_DB))
    return int(heard[0]), int(heard[-1]) + 1
